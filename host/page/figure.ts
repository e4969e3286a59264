import type { Colour } from "./marks.ts";
import { escapeXml } from "./markup.ts";

/** A titled card of a page. `drawing` is HTML: plots, legends, or one plain sentence. */
export interface Figure {
  readonly title: string;
  readonly caption: string;
  readonly drawing: string;
  readonly isWide?: boolean; // spans both columns on a desktop
}

/** Names beside their colours. */
export function legend(entries: readonly (readonly [name: string, colour: Colour])[]): string {
  const items = entries.map(([name, colour]) => `<span><i class="${colour}"></i>${escapeXml(name)}</span>`);
  return `<p class="legend">${items.join("")}</p>`;
}

/** A sentence in place of a drawing. */
export function sentence(text: string): string {
  return `<p class="plain">${escapeXml(text)}</p>`;
}

/** The drawing, or one sentence if all values lie within `tolerance` of each other: a flat line shows nothing. */
export function unlessFlat(
  values: readonly number[],
  draw: () => string,
  flatText: (value: number) => string,
  tolerance: number = 0,
): string {
  if (values.length === 0) return sentence("Nothing was measured.");
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return high - low <= tolerance ? sentence(flatText(high)) : draw();
}
