import { escapeXml } from "../../../train/report/plot.ts";
import { reportStyle } from "../../../train/report/style.ts";

const style = `${reportStyle}
:root { --tint: #e9d8d4; --faint: #b9b5ac; --limit: #b91c1c; --shadow: rgb(0 0 0 / 0.18);
  --c0: #0f766e; --c1: #b45309; --c2: #6d28d9; --c3: #0369a1; --c4: #be185d; --c5: #4d7c0f; --c6: #78716c; --c7: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --tint: #45302f; --faint: #5b5f66; --limit: #f87171; --shadow: rgb(0 0 0 / 0.7);
  --c0: #2dd4bf; --c1: #f59e0b; --c2: #a78bfa; --c3: #38bdf8; --c4: #f472b6; --c5: #a3e635; --c6: #a8a29e; --c7: #f87171; } }
main { grid-template-columns: minmax(0, 1fr); } svg { max-width: none; min-width: 900px; } svg rect { shape-rendering: crispEdges; }
svg.defs { position: absolute; width: 0; min-width: 0; height: 0; }
figure:last-child:nth-child(odd) { grid-column: auto; }
.limit { fill: none; stroke: var(--limit); stroke-width: 1.5; stroke-dasharray: 6 4; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0 0; color: var(--soft); font-size: 13px; position: sticky; left: 0; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
.legend + svg { margin-top: 14px; } .plain { margin: 0; }
.line.free { stroke: var(--c3); } .lead strong { color: var(--limit); font-weight: 600; } .lead small { color: var(--soft); font-size: 14px; } .lead strong.under { color: inherit; }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--card) 40%, transparent) 0 0 / 40px 100% local no-repeat,
  linear-gradient(to left, var(--card) 40%, transparent) 100% 0 / 40px 100% local no-repeat,
  linear-gradient(to right, var(--shadow), transparent) 0 0 / 12px 100% no-repeat,
  linear-gradient(to left, var(--shadow), transparent) 100% 0 / 12px 100% no-repeat, var(--card); }
.table { margin-bottom: 16px; border: 1px solid var(--grid); border-radius: 10px; }
.table table { border: 0; background: none; } thead :is(th, td) { color: var(--soft); } :is(th, td) { white-space: nowrap; }
tbody th { position: sticky; left: 0; background: var(--card); }
@media (max-width: 600px) { .table table { padding: 10px; } tbody th { min-width: 30vw; white-space: normal; } }
`;

export interface Figure {
  readonly title: string;
  readonly caption: string;
  readonly drawing: string;
}

/** One file that needs nothing else, no scripts. `lead` and `table` are HTML. */
export function page(title: string, subtitle: string, lead: string, table: string, figures: readonly Figure[], footer: string): string {
  const drawn = figures.map(
    ({ title: name, caption, drawing }) =>
      `<figure><figcaption><h2>${escapeXml(name)}</h2><p>${escapeXml(caption)}</p></figcaption><div class="scroll" tabindex="0">${drawing}</div></figure>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}, ${escapeXml(subtitle)}</title>
<style>${style}</style>
</head>
<body>
<svg class="defs" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" stroke="var(--soft)" stroke-width="1.5" stroke-opacity="0.6"/></pattern></defs></svg>
<header>
<h1>${escapeXml(title)} <span>${escapeXml(subtitle)}</span></h1>
<p class="lead">${lead}</p>
</header>
<div class="scroll table" tabindex="0">${table}</div>
<main>
${drawn.join("\n")}
</main>
<footer>${escapeXml(footer)}</footer>
</body>
</html>
`;
}

/** A table with a head and row names. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? `<th>${escapeXml(cell)}</th>` : `<td>${escapeXml(cell)}</td>`)).join("");
  return `<table><thead><tr>${cells(head)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join("")}</tbody></table>`;
}
