import type { Figure } from "./figure.ts";
import { escapeXml } from "./markup.ts";
import { contentSecurityPolicy, pageStyle } from "./style.ts";
import { htmlTable, type Table } from "./table.ts";

/** A figure of merit at the top of a page. */
export interface KeyFigure {
  readonly value: string;
  readonly name: string;
  readonly isOver?: boolean; // beyond its limit: shown in the limit's colour
}

/** What a page shows, from top to bottom. All texts are plain; only a figure's drawing is HTML. */
export interface Report {
  readonly title: string;
  readonly subtitle: string;
  readonly keyFigures?: readonly KeyFigure[];
  readonly sentences?: readonly string[];
  readonly warnings?: readonly string[];
  readonly remarks?: readonly string[]; // in small print below the sentences
  readonly tables: readonly Table[];
  readonly figures: readonly Figure[];
  readonly notes: readonly string[]; // what it was made from, at the foot
}

/** A report as one HTML file without scripts or external requests. */
export function pageHtml(report: Report): string {
  const { title, subtitle, keyFigures = [], sentences = [], warnings = [], remarks = [], tables, figures, notes } = report;
  const key = keyFigures.map(
    ({ value, name, isOver }) =>
      `<div><dt>${escapeXml(name)}</dt><dd${isOver === true ? ' class="over"' : ""}>${escapeXml(value)}</dd></div>`,
  );
  const header = [
    `<h1>${escapeXml(title)} <span>${escapeXml(subtitle)}</span></h1>`,
    key.length === 0 ? "" : `<dl class="key">${key.join("")}</dl>`,
    ...sentences.map((one) => `<p>${escapeXml(one)}</p>`),
    ...warnings.map((one) => `<p class="warning" role="note">${escapeXml(one)}</p>`),
    ...remarks.map((one) => `<p class="notes">${escapeXml(one)}</p>`),
  ];
  const cards = tables.map((table) => `<div class="card">${htmlTable(table)}</div>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}, ${escapeXml(subtitle)}</title>
<style>${pageStyle}</style>
</head>
<body>
<svg class="defs" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" stroke="currentColor" stroke-width="1.5" stroke-opacity="0.5"/></pattern></defs></svg>
<header>
${header.filter((line) => line !== "").join("\n")}
</header>
<section class="tables">
${cards.join("\n")}
</section>
<main>
${figures.map(figureHtml).join("\n")}
</main>
<footer>
${notes.map((note) => `<p>${escapeXml(note)}</p>`).join("\n")}
</footer>
</body>
</html>
`;
}

function figureHtml({ title, caption, drawing, isWide = false }: Figure): string {
  const className = isWide ? "card wide-card" : "card";
  return `<figure class="${className}"><figcaption><h2>${escapeXml(title)}</h2><p>${escapeXml(caption)}</p></figcaption>${drawing}</figure>`;
}
