import { createHash } from "node:crypto";
import { tokenStyle } from "./tokens.ts";

/** What a drawing needs, on a page or in a file of its own: colours, text and strokes. */
export const drawingStyle = `
${tokenStyle}.s0 { --s: var(--c0); } .s1 { --s: var(--c1); } .s2 { --s: var(--c2); } .s3 { --s: var(--c3); }
.s4 { --s: var(--c4); } .s5 { --s: var(--c5); } .s6 { --s: var(--c6); } .s7 { --s: var(--c7); }
.soft { --s: var(--soft); } .limit { --s: var(--limit); } .tint { --s: var(--tint); }
svg text { font: 10.5px system-ui, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; } svg .tick, svg .name { fill: var(--soft); }
svg .small { font-size: 8px; fill: var(--soft); } svg .count.on { fill: var(--card); }
.grid { stroke: var(--grid); } .line { fill: none; stroke: var(--s); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.grid, .line, .ring { vector-effect: non-scaling-stroke; } .dash { stroke-width: 1.5; stroke-dasharray: 6 5; } .pale { stroke-opacity: 0.4; }
.fill { fill: var(--s); } .fill.hatch { fill: url(#hatch); } rect.fill { shape-rendering: crispEdges; }
.few { stroke: var(--s); stroke-opacity: 0.6; } .bubble { fill-opacity: 0.4; stroke: var(--s); } .ring { fill: none; stroke: var(--ink); stroke-width: 1.5; }
`;

/** The style sheet of every page. Colours follow the reader's light or dark setting; one column on a phone. */
export const pageStyle = `
${drawingStyle}* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 24px 16px 40px; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { margin: 0 0 12px; font-size: 26px; line-height: 1.25; } h1 span { color: var(--soft); font-weight: 400; }
h2 { margin: 0; font-size: 16px; } header p { margin: 4px 0; }
.key { display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 0 0 12px; } .key div { display: flex; flex-direction: column-reverse; }
.key dt { color: var(--soft); font-size: 13px; } .key dd { margin: 0; font-size: 24px; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
.key .over { color: var(--limit); }
.warning { margin: 8px 0; padding: 10px 14px; border-left: 4px solid var(--c1); background: var(--card); } .notes { color: var(--soft); font-size: 13.5px; }
.tables, main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; align-items: start; margin-top: 16px; }
.card { margin: 0; padding: 14px 16px; background: var(--card); border: 1px solid var(--grid); border-radius: 10px; min-width: 0; }
.wide-card, .card:last-child:nth-child(odd):not(figure) { grid-column: 1 / -1; }
figcaption p { margin: 2px 0 8px; color: var(--soft); font-size: 13px; line-height: 1.4; } .plain { margin: 0; }
table { width: 100%; border-spacing: 0; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 400; padding: 2px 12px 2px 0; } td { text-align: right; padding: 2px 0 2px 8px; }
.pairs th, thead th { color: var(--soft); } thead th { text-align: right; vertical-align: bottom; padding: 2px 0 4px 8px; border-bottom: 1px solid var(--grid); } thead td { border-bottom: 1px solid var(--grid); }
thead th:first-child { text-align: left; padding-left: 0; } .best span { font-weight: 700; color: var(--c0); }
svg.plot { display: block; width: 100%; height: auto; } svg.plot:not(.wide) { max-width: 520px; margin: 0 auto; } svg.plot + svg.plot, .legend + svg.plot { margin-top: 12px; }
svg.defs { position: absolute; width: 0; height: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 0; color: var(--soft); font-size: 13px; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; background: var(--s); }
.legend i.hatch { background: repeating-linear-gradient(45deg, var(--soft) 0 1px, transparent 1px 4px); }
footer { margin-top: 20px; color: var(--soft); font-size: 13px; } footer p { margin: 4px 0; }
@media (min-width: 900px) { svg text { font-size: 8.5px; } svg .small { font-size: 6.5px; } svg.wide text { font-size: 8.5px; } }
@media (max-width: 760px) { .tables, main { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 600px) { svg.wide text { font-size: 20px; }
  .grid-table, .grid-table :is(tbody, tr, th, td) { display: block; } .grid-table thead { display: none; }
  .grid-table tr + tr { margin-top: 10px; padding-top: 8px; border-top: 1px solid var(--grid); } .grid-table tbody th { font-weight: 600; padding: 0; } .grid-table th[data-head]::before { content: attr(data-head) " "; }
  .grid-table td { display: flex; justify-content: space-between; gap: 12px; padding: 0; } .grid-table td::before { content: attr(data-head); color: var(--soft); text-align: left; } }
`;

/** The page's Content-Security-Policy: this style sheet alone; no script, no request, no frame. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(pageStyle).digest("base64")}'; base-uri 'none'; form-action 'none'`;
