import type { RunMetrics } from "../metrics.ts";
import type { TrainProgress } from "../run-folder.ts";
import { askingCurveFigure } from "./asking-curve.ts";
import { countOf, uncertifiedText } from "./certificate.ts";
import { confusionMatrix } from "./confusion-matrix.ts";
import { exitTradeOff } from "./exit-trade-off.ts";
import { accuracyCurve, lossCurve } from "./learning-curves.ts";
import { escapeXml } from "./plot.ts";
import { reliabilityDiagram } from "./reliability-diagram.ts";
import { reportStyle } from "./style.ts";

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** report.html of one seed: one file that needs nothing else, no scripts; figures are inline SVG. */
export function reportHtml(metrics: RunMetrics, progress: readonly TrainProgress[]): string {
  const { agent, seed, labels, heldOut, phase, wearers } = metrics;
  const { window, stream, tradeOff } = heldOut;
  const figures = [
    figure("Loss", "Mean since the point before; the learning rate, as a share of its peak, is the pale line.", lossCurve(progress)),
    figure("Held-out accuracy", "Windows of the held-out wearers at the last exit, while training.", accuracyCurve(progress)),
    figure("Confusion, window by window", "Each window from a reset state.", confusionMatrix(window.confusion, labels)),
    figure("Confusion, streaming", "State carried through whole recordings.", confusionMatrix(stream.confusion, labels)),
    figure(
      "Reliability",
      `Streaming, last exit. The temperature was fitted on the calibrate wearers${phase === "final" ? ": these" : ""}.`,
      reliabilityDiagram(stream.reliability),
    ),
    figure(
      "Exits",
      "Dots: each exit alone. Line: the first exit that is sure enough, from lax to strict. Windows.",
      exitTradeOff(tradeOff),
    ),
    figure(
      "Asking",
      "Streaming, the least sure asked first. Line: right of what is answered here. Dashes: right of all, if every ask were answered rightly.",
      askingCurveFigure(stream.asking),
    ),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(agent)}, seed ${seed}</title>
<style>${reportStyle}</style>
</head>
<body>
<header>
<h1>${escapeXml(agent)} <span>seed ${seed}</span></h1>
<p class="lead"><b>${percent(stream.accuracy.at(-1)!)}</b> streaming, <b>${percent(window.accuracy.at(-1)!)}</b> by single windows, ${headlineRest(metrics)}</p>
${banner(metrics)}</header>
<section class="facts">
${facts(metrics)}
${exitTable(metrics)}
</section>
<main>
${figures.join("\n")}
</main>
<footer>Held out: ${escapeXml(wearers.heldOut.join(" "))}. Trained on: ${escapeXml(wearers.train.join(" "))}. The test wearers are in neither: <code>dormouse eval</code> scores those.</footer>
</body>
</html>
`;
}

/** What the headline rests on. */
function headlineRest({ wearers, heldOut, phase, certification }: RunMetrics): string {
  const n = wearers.heldOut.length;
  const on = `on ${countOf(n, "wearer")} that it was not trained on: ${heldOut.window.windows.toLocaleString("en")} windows.`;
  if (phase !== "final") return on;
  return `${on} ${certification ? "Temperatures and thresholds were" : "The temperatures were"} fitted on these too.`;
}

function banner(metrics: RunMetrics): string {
  const text = uncertifiedText(metrics);
  return text === undefined ? "" : `<p class="warning" role="note">${escapeXml(text)}</p>\n`;
}

function figure(title: string, caption: string, drawing: string): string {
  return `<figure><figcaption><h2>${escapeXml(title)}</h2><p>${escapeXml(caption)}</p></figcaption>${drawing}</figure>`;
}

function facts({ steps, seconds, parameters, imageBytes, phase, wearers, heldOut }: RunMetrics): string {
  const rows: [string, string][] = [
    ["steps", `${steps} in ${(seconds / 60).toFixed(1)} min`],
    ["parameters", parameters.toLocaleString("en")],
    ["image", `${imageBytes.toLocaleString("en")} B`],
    ["phase", phase],
    ["wearers", `${wearers.train.length} trained on, ${wearers.heldOut.length} held out`],
    ["windows held out", heldOut.window.windows.toLocaleString("en")],
  ];
  return `<table>${rows.map(([name, value]) => `<tr><th>${name}</th><td>${escapeXml(value)}</td></tr>`).join("")}</table>`;
}

function exitTable({ heldOut, exits }: RunMetrics): string {
  const rows = exits.map(({ thresholdQ15, coverage }, k) => {
    const isAnswering = thresholdQ15 <= 32768;
    const cells = [percent(heldOut.window.accuracy[k]!), percent(heldOut.stream.accuracy[k]!), isAnswering ? percent(coverage) : "–"];
    return `<tr><th>${k + 1}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return `<table><tr><th>exit</th><td>window</td><td>stream</td><td>may answer</td></tr>${rows.join("")}</table>`;
}
