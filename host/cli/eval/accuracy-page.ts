import { bytesText, countText, numberText, percentText } from "../../core/system/table.ts";
import { confusionMatrix } from "../../page/matrix.ts";
import { pageHtml } from "../../page/page.ts";
import type { AccuracyDocument } from "./accuracy.ts";

/** The page of `eval --html`: how often each exit is right, and what is taken for what. */
export function accuracyPage(document: AccuracyDocument, list: string): string {
  const { agent, protocol, engine, windows, accuracy, macroF1, float, exits, users, fault } = document;
  return pageHtml({
    title: agent,
    subtitle: `${protocol} protocol, ${engine} core`,
    keyFigures: [
      { value: percentText(accuracy, 2), name: "right at the last exit" },
      { value: percentText(macroF1, 2), name: "macro F1" },
      ...(float === undefined ? [] : [{ value: percentText(float.accuracy, 2), name: "right in floating point" }]),
    ],
    sentences: [`On ${countText(windows, "window")} of ${countText(users.length, `${list} wearer`)} that training never saw.`],
    warnings: fault === undefined ? [] : [`With an injected sensor fault: ${fault}.`],
    tables: [
      {
        head: ["exit", "accuracy", "MACs per window"],
        best: [undefined, "highest", "lowest"],
        rows: exits.map((one) => [String(one.exit + 1), percentText(one.accuracy, 2), numberText(one.macs)]),
      },
      {
        rows: [
          ["parameters", numberText(document.parameters)],
          ["image", bytesText(document.imageBytes)],
          ["arena", bytesText(document.arenaBytes)],
        ],
      },
    ],
    figures: [
      {
        title: "Confusion",
        caption: protocol === "window" ? "Each window starts from a reset state." : "State is carried through whole recordings.",
        drawing: confusionMatrix(document.confusion, document.labels),
        isWide: true,
      },
    ],
    notes: [`Wearers: ${users.join(" ")}.`, `Image ${document.imageHash}; decisions hash ${document.decisionsHash}.`],
  });
}
