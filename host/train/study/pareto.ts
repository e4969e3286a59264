import { axes, axisOver, coordinate, escapeXml, type PlotArea, polyline, svg, xOf, yOf } from "../report/plot.ts";

/** One trial as a search judges it. */
export interface Candidate {
  readonly key: string;
  readonly accuracy: number; // more is better
  readonly instructions: number; // less is better
  readonly arenaBytes: number; // less is better
}

/** Those that no other candidate is at least as good as in everything and better in something, the cheapest first. */
export function paretoFront<C extends Candidate>(candidates: readonly C[]): C[] {
  return candidates
    .filter((one) => !candidates.some((other) => dominates(other, one)))
    .sort((a, b) => a.instructions - b.instructions || b.accuracy - a.accuracy);
}

function dominates(a: Candidate, b: Candidate): boolean {
  const isAsGood = a.accuracy >= b.accuracy && a.instructions <= b.instructions && a.arenaBytes <= b.arenaBytes;
  return isAsGood && (a.accuracy > b.accuracy || a.instructions < b.instructions || a.arenaBytes < b.arenaBytes);
}

const area: PlotArea = { width: 720, height: 440, left: 56, right: 40, top: 24, bottom: 44 };
const largestRadius = 15;

/** Accuracy against instructions: a disc a candidate, its area in proportion to the arena's bytes. */
export function paretoFigure<C extends Candidate>(candidates: readonly C[], front: readonly C[], marked: ReadonlySet<string>): string {
  const x = axisOver(
    candidates.map(({ instructions }) => instructions),
    "instructions a window (Cortex-M4, estimated)",
    (value) => (value === 0 ? "0" : `${Number((value / 1e6).toFixed(2))} M`),
    0,
  );
  const y = axisOver(
    candidates.map(({ accuracy }) => accuracy),
    "accuracy",
    (value) => `${Number((100 * value).toFixed(1))} %`,
  );
  const most = Math.max(...candidates.map(({ arenaBytes }) => arenaBytes));
  const radius = ({ arenaBytes }: C): number => largestRadius * Math.sqrt(arenaBytes / most);
  const isFront = (one: C): boolean => front.some(({ key }) => key === one.key);
  const discs = [...candidates]
    .sort((a, b) => Number(isFront(a)) - Number(isFront(b)) || b.arenaBytes - a.arenaBytes)
    .map((one) => {
      const at = `cx="${coordinate(xOf(area, x, one.instructions))}" cy="${coordinate(yOf(area, y, one.accuracy))}"`;
      const title = `${one.key}: ${(100 * one.accuracy).toFixed(2)} %, ${Math.round(one.instructions / 1000)} k instructions, ${one.arenaBytes} B of arena`;
      const disc = `<circle class="bubble${isFront(one) ? " front" : ""}" ${at} r="${coordinate(radius(one))}"><title>${escapeXml(title)}</title></circle>`;
      return marked.has(one.key) ? `${disc}<circle class="ring" ${at} r="${coordinate(radius(one) + 4)}"/>` : disc;
    });
  // The staircase of accuracy against instructions alone: the arena is the disc's, not the line's.
  const flat = paretoFront(front.map((one) => ({ ...one, arenaBytes: 0 })));
  const line = polyline(area, x, y, staircase(flat), "dash");
  const names = candidates
    .filter((one) => flat.some(({ key }) => key === one.key) || marked.has(one.key))
    .map((one) => {
      const isRight = xOf(area, x, one.instructions) > area.width * 0.7;
      const px = xOf(area, x, one.instructions) + (isRight ? -1 : 1) * (radius(one) + 7);
      return `<text class="tick" x="${coordinate(px)}" y="${coordinate(yOf(area, y, one.accuracy) + (isRight ? 18 : 12))}" text-anchor="${isRight ? "end" : "start"}">${escapeXml(one.key)}</text>`;
    });
  return svg(area, "Accuracy against instructions", axes(area, x, y) + line + discs.join("") + names.join(""));
}

/** What is reached at so many instructions: level up to the next on the front, then up to it. */
function staircase(front: readonly Candidate[]): (readonly [number, number])[] {
  return front.flatMap(({ instructions, accuracy }, i) => {
    const before = front[i - 1];
    return [...(before ? [[instructions, before.accuracy] as const] : []), [instructions, accuracy] as const];
  });
}
