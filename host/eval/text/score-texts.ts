import type { IntentModel } from "../../core/text/intent-model.ts";
import type { TextExample } from "../../data/text-example.ts";

/** What a device makes of a text. */
export interface TextVerdict {
  readonly intent: string;
  readonly score: number; // probability; 0 of a text that is taken for out of scope
  readonly isRight: boolean;
  readonly isAsked: boolean; // below the threshold, or taken for out of scope
}

/** Classifies texts as a device does: unsure ones and those taken for out of scope are asked. */
export function judgeTexts(model: IntentModel, examples: readonly TextExample[], outOfScope: readonly string[]): TextVerdict[] {
  return examples.map(({ text, label }) => {
    const { intent, probability, isSure } = model.classify(text);
    const isOut = outOfScope.includes(intent);
    return { intent, score: isOut ? 0 : probability, isRight: intent === label, isAsked: !isSure || isOut };
  });
}

/** How a text model does on texts in scope. */
export interface TextScore {
  readonly texts: number;
  readonly accuracy: number; // of all, by the most probable label
  readonly askedFraction: number;
  readonly localAccuracy: number; // of those that are not asked
  readonly askedAccuracy: number; // of those that are
}

export function scoreVerdicts(verdicts: readonly TextVerdict[]): TextScore {
  const asked = verdicts.filter(({ isAsked }) => isAsked);
  return {
    texts: verdicts.length,
    accuracy: share(verdicts, ({ isRight }) => isRight),
    askedFraction: share(verdicts, ({ isAsked }) => isAsked),
    localAccuracy: share(
      verdicts.filter(({ isAsked }) => !isAsked),
      ({ isRight }) => isRight,
    ),
    askedAccuracy: share(asked, ({ isRight }) => isRight),
  };
}

/** Share of the items for which `is` holds; 0 of none. */
export function share<T>(items: readonly T[], is: (item: T, index: number) => boolean): number {
  return items.length === 0 ? 0 : items.filter(is).length / items.length;
}
