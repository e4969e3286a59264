import { escapeXml } from "../../../train/report/plot.ts";
import { reportStyle } from "../../../train/report/style.ts";

const style = `${reportStyle}
:root { --band: #d6d1c5; } @media (prefers-color-scheme: dark) { :root { --band: #3a3f48; } }
main { grid-template-columns: 1fr; } svg { max-width: none; }
figure:last-child:nth-child(odd) { grid-column: auto; }
.limit { fill: none; stroke: #b91c1c; stroke-width: 1.5; stroke-dasharray: 6 4; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0 0; color: var(--soft); font-size: 13px; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
table { margin-bottom: 16px; } thead td { color: var(--soft); } .scroll { overflow-x: auto; }
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
      `<figure><figcaption><h2>${escapeXml(name)}</h2><p>${escapeXml(caption)}</p></figcaption>${drawing}</figure>`,
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
<header>
<h1>${escapeXml(title)} <span>${escapeXml(subtitle)}</span></h1>
<p class="lead">${lead}</p>
</header>
<div class="scroll">${table}</div>
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
