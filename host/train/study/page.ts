import { escapeXml } from "../report/plot.ts";
import { reportStyle } from "../report/style.ts";
import type { StudyReport } from "./study.ts";

/** What a study's page has more than a run's report: one wide figure and a table, which scroll on a phone. */
const studyStyle = `
.lead { margin-bottom: 6px; } .how { margin: 0 0 20px; color: var(--soft); }
main { display: block; } svg { max-width: 860px; } .wide { overflow-x: auto; margin-bottom: 16px; } .wide svg { min-width: 640px; }
thead th { border-bottom: 1px solid var(--grid); padding: 2px 0 2px 8px; text-align: right; vertical-align: bottom; } thead th:first-child { padding-left: 0; text-align: left; }
td { white-space: nowrap; } tbody th { color: var(--ink); white-space: nowrap; position: sticky; left: 0; background: var(--card); }
.ring { fill: none; stroke: var(--ink); stroke-width: 1.5; } .bubble { fill: var(--a); fill-opacity: 0.3; stroke: var(--a); }
.bubble.front { fill: var(--b); fill-opacity: 0.55; stroke: var(--b); } .span { stroke-width: 1.5; } .span.a { stroke: var(--a); } .span.b { stroke: var(--b); }
`;

/** study.html: one file that needs nothing else, no scripts. */
export function studyPage({ study, title, agent, steps, seeds, wearers, conclusion, notes, columns, rows, figure }: StudyReport): string {
  const head = columns.map((column) => `<th>${escapeXml(column)}</th>`).join("");
  const body = rows.map(
    ([name, ...cells]) => `<tr><th>${escapeXml(name!)}</th>${cells.map((cell) => `<td>${escapeXml(cell)}</td>`).join("")}</tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(agent)}: ${study}</title>
<style>${reportStyle}${studyStyle}</style>
</head>
<body>
<header>
<h1>${escapeXml(title)} <span>${escapeXml(agent)}</span></h1>
<p class="lead">${escapeXml(conclusion)}</p>
<p class="how">${seeds.length === 1 ? `Seed ${seeds[0]}` : `Mean ± deviation over seeds ${seeds.join(" ")}`}, ${steps} steps a training.</p>
</header>
<main>
<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>
<figure><figcaption><h2>${escapeXml(figure.title)}</h2><p>${escapeXml(figure.caption)}</p></figcaption><div class="wide">${figure.svg}</div></figure>
</main>
<footer>${notes.map((note) => `<p>${escapeXml(note)}</p>`).join("\n")}
<p>Trained on wearers ${escapeXml(wearers.train.join(" "))}; scored on ${escapeXml(wearers.heldOut.join(" "))}. The test wearers are in neither.</p></footer>
</body>
</html>
`;
}
