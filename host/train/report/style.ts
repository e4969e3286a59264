/** The report's style sheet: light and dark by the reader's choice, one column on a phone. */
export const reportStyle = `
:root { color-scheme: light dark; --back: #faf9f6; --card: #ffffff; --ink: #23211d; --soft: #6d6961; --grid: #e3e0d8; --a: #0f766e; --b: #b45309; }
@media (prefers-color-scheme: dark) { :root { --back: #14161a; --card: #1d2026; --ink: #e8e6e1; --soft: #9a978f; --grid: #33373f; --a: #4fd1c5; --b: #f6ad55; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 24px 16px 40px; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 26px; } h1 span { color: var(--soft); font-weight: 400; }
h2 { margin: 0; font-size: 16px; }
.lead { margin: 4px 0 20px; font-size: 17px; } .lead b { color: var(--a); font-variant-numeric: tabular-nums; }
.warning { margin: -8px 0 20px; padding: 10px 14px; border-left: 4px solid var(--b); background: var(--card); }
.facts, main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; align-items: start; }
.facts { margin-bottom: 16px; }
table, figure { margin: 0; padding: 14px 16px; background: var(--card); border: 1px solid var(--grid); border-radius: 10px; }
table { width: 100%; border-spacing: 0; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 400; color: var(--soft); padding: 2px 12px 2px 0; } td { text-align: right; padding: 2px 0 2px 8px; }
figcaption p { margin: 2px 0 8px; color: var(--soft); font-size: 13px; line-height: 1.4; }
svg { display: block; width: 100%; max-width: 520px; height: auto; margin: 0 auto; }
figure:last-child:nth-child(odd) { grid-column: 1 / -1; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .tick { fill: var(--soft); font-size: 10.5px; } svg .name { fill: var(--soft); }
.grid { stroke: var(--grid); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.a { stroke: var(--a); } .line.b { stroke: var(--b); }
.faint { fill: none; stroke: var(--soft); stroke-opacity: 0.35; } .dash { fill: none; stroke: var(--soft); stroke-dasharray: 4 4; }
.dot.a { fill: var(--a); } .dot.b { fill: var(--b); }
.cell, .bar { fill: var(--a); } .bar.few { stroke: var(--a); stroke-opacity: 0.6; } svg .small { font-size: 8px; } svg .count { font-size: 10.5px; } svg .count.on { fill: var(--card); }
footer { margin-top: 20px; color: var(--soft); font-size: 13px; }
`;
