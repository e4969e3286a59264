import { countText, numberText, percentText } from "../../core/system/table.ts";
import type { Figure } from "../../page/figure.ts";
import { confusionMatrix } from "../../page/matrix.ts";
import { type KeyFigure, pageHtml } from "../../page/page.ts";
import type { Table } from "../../page/table.ts";
import type { RunMetrics } from "../metrics.ts";
import type { TrainProgress } from "../run-folder.ts";
import { uncertifiedText } from "./certificate.ts";
import { comparisonTables, recordNext } from "./comparison-text.ts";
import { accuracyCurve, askingCurveFigure, exitTradeOff, lossCurve, reliabilityDiagram } from "./figures.ts";

/** report.html of one seed. */
export function reportHtml(metrics: RunMetrics, progress: readonly TrainProgress[]): string {
  const { agent, seed, heldOut, wearers, comparison } = metrics;
  const warning = uncertifiedText(metrics);
  const keyFigures: KeyFigure[] = [
    { value: percentText(heldOut.stream.accuracy.at(-1)!, 2), name: "accuracy, streaming" },
    { value: percentText(heldOut.window.accuracy.at(-1)!, 2), name: "accuracy, single windows" },
  ];
  return pageHtml({
    title: agent,
    subtitle: `seed ${seed}`,
    keyFigures,
    sentences: [basisText(metrics), ...(comparison ? recordNext(comparison, wearers.train.length) : [])],
    warnings: warning === undefined ? [] : [warning],
    tables: [factsTable(metrics), exitTable(metrics), ...(comparison ? comparisonTables(comparison).map(({ table }) => table) : [])],
    figures: figuresOf(metrics, progress),
    notes: [
      `Held out: ${wearers.heldOut.join(" ")}. Trained on: ${wearers.train.join(" ")}. The test wearers are in neither: dormouse eval scores those.`,
    ],
  });
}

/** What the headline rests on. */
function basisText({ wearers, heldOut, phase, certification }: RunMetrics): string {
  const basis = `On ${countText(heldOut.window.windows, "window")} of ${countText(wearers.heldOut.length, "held-out wearer")}.`;
  if (phase !== "final") return basis;
  return `${basis} ${certification ? "Temperatures and thresholds were" : "The temperatures were"} fitted on them too.`;
}

function figuresOf({ labels, heldOut, phase }: RunMetrics, progress: readonly TrainProgress[]): Figure[] {
  const { window, stream, tradeOff } = heldOut;
  return [
    {
      title: "Loss",
      caption: "Mean since the previous point. Pale line: the learning rate as a share of its peak.",
      drawing: lossCurve(progress),
    },
    { title: "Held-out accuracy", caption: "Windows of the held-out wearers at the last exit, by step.", drawing: accuracyCurve(progress) },
    {
      title: "Confusion, single windows",
      caption: "Each window starts from a reset state.",
      drawing: confusionMatrix(window.confusion, labels),
    },
    {
      title: "Confusion, streaming",
      caption: "State is carried through whole recordings.",
      drawing: confusionMatrix(stream.confusion, labels),
    },
    {
      title: "Reliability",
      caption: `Streaming, last exit. The temperature was fitted on the calibrate wearers${phase === "final" ? ": these" : ""}.`,
      drawing: reliabilityDiagram(stream.reliability),
    },
    {
      title: "Exits",
      caption: "Dots: each exit alone. Line: the first exit above its threshold, from low to high thresholds. Single windows.",
      drawing: exitTradeOff(tradeOff),
    },
    {
      title: "Asking",
      caption:
        "Streaming, least confident decisions asked first. Line: accuracy of the decisions kept here. Dashes: accuracy of all, if every answer were right.",
      drawing: askingCurveFigure(stream.asking),
    },
  ];
}

function factsTable({ steps, seconds, parameters, imageBytes, phase, wearers, heldOut }: RunMetrics): Table {
  return {
    rows: [
      ["steps", `${numberText(steps)} in ${numberText(seconds / 60, 1)} min`],
      ["parameters", numberText(parameters)],
      ["image", `${numberText(imageBytes)} B`],
      ["phase", phase],
      ["wearers", `${wearers.train.length} trained on, ${wearers.heldOut.length} held out`],
      ["windows held out", numberText(heldOut.window.windows)],
    ],
  };
}

const ANSWERS_Q15 = 32768; // a threshold above 1.0 never answers

function exitTable({ heldOut, exits }: RunMetrics): Table {
  return {
    head: ["exit", "single windows", "streaming", "may answer"],
    best: [undefined, "highest", "highest", undefined],
    rows: exits.map(({ thresholdQ15, coverage }, k) => [
      String(k + 1),
      percentText(heldOut.window.accuracy[k]!, 2),
      percentText(heldOut.stream.accuracy[k]!, 2),
      thresholdQ15 <= ANSWERS_Q15 ? percentText(coverage, 2) : "–",
    ]),
  };
}
