import type { TextAgentDefinition } from "../../agent/define-text-agent.ts";
import type { IntentModel } from "../../core/text/intent-model.ts";
import { CLINC_OUT_OF_SCOPE, type Clinc150 } from "../../data/clinc150.ts";
import type { TextExample } from "../../data/text-example.ts";
import { judgeTexts, scoreVerdicts, share, type TextVerdict } from "./score-texts.ts";

/** Asked shares of the validation queries whose thresholds make the curve. */
const CURVE_SHARES = [0.05, 0.1, 0.15, 0.2] as const;

export interface AssistantSetting {
  readonly model: IntentModel;
  readonly definition: TextAgentDefinition;
  readonly clinc: Clinc150;
  /** Phrasings of the diary's intents by someone who has not seen those that it was trained on. */
  readonly diaryTest: readonly TextExample[];
  /** What the cloud takes each of CLINC150's test queries in scope for. Absent: the device's part alone. */
  readonly cloudIntents?: readonly string[];
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** A point of the curve: a threshold from the validation queries, and what it does on the test queries in scope. */
export interface CurvePoint {
  readonly validationAsked: number;
  readonly askedFraction: number;
  readonly localAccuracy: number;
  readonly cascadeAccuracy?: number;
}

export type AssistantFigures = ReturnType<typeof evaluateAssistant>;

/**
 * The assistant on CLINC150's test queries and on the diary's test phrasings. In scope means CLINC150's 150 intents. Accuracies are over
 * every label of the image, out of scope and the diary's among them. Thresholds come from the image and the validation queries.
 */
export function evaluateAssistant({ model, definition, clinc, diaryTest, cloudIntents, now }: AssistantSetting) {
  const outOfScope = [CLINC_OUT_OF_SCOPE];
  const judge = (examples: readonly TextExample[]): TextVerdict[] => judgeTexts(model, examples, outOfScope);
  const [inScope, out] = [judge(clinc.test), judge(clinc.outOfScope.test)];
  const score = scoreVerdicts(inScope);
  const kept = [...inScope, ...out].filter(({ isAsked }) => !isAsked);
  const cloudRight = cloudIntents?.map((intent, i) => intent === clinc.test[i]!.label);
  return {
    inScopeAccuracy: score.accuracy,
    askedFraction: score.askedFraction,
    localAccuracy: score.localAccuracy,
    localAccuracyWithOos: share(kept, ({ isRight }) => isRight),
    oosAsked: share(out, ({ isAsked }) => isAsked),
    deviceOnAsked: score.askedAccuracy,
    ...(cloudRight && {
      cloudAccuracy: share(cloudRight, (isRight) => isRight),
      cloudOnAsked: share(
        cloudRight.filter((_, i) => inScope[i]!.isAsked),
        (isRight) => isRight,
      ),
      cascadeAccuracy: cascadeAccuracy(inScope, cloudRight, ({ isAsked }) => isAsked),
    }),
    ...diaryFigures(definition, judge(diaryTest), diaryTest, [...inScope, ...out], [...clinc.test, ...clinc.outOfScope.test]),
    curve: curveOf(judge(clinc.validation), inScope, cloudRight),
    imageBytes: model.imageBytes,
    microsPerQuery: microsPerQuery(model, clinc.test, now),
  };
}

function cascadeAccuracy(device: readonly TextVerdict[], cloudRight: readonly boolean[], isAsked: (one: TextVerdict) => boolean): number {
  return share(device, (one, i) => (isAsked(one) ? cloudRight[i]! : one.isRight));
}

/**
 * diaryAccuracy counts an intent that is answered as another one as that one; diaryStrictAccuracy does not. falseDiary is the share of
 * CLINC150's queries that the device answers as a diary intent though it does not answer them; falseDiaryOnTop counts those that it asks, too.
 */
function diaryFigures(
  { local, answeredAs }: TextAgentDefinition,
  diary: readonly TextVerdict[],
  diaryTest: readonly TextExample[],
  clinc: readonly TextVerdict[],
  clincTest: readonly TextExample[],
) {
  const handler = (intent: string): string => answeredAs[intent] ?? intent;
  const isFalse = ({ intent }: TextVerdict, i: number): boolean => local.includes(intent) && handler(clincTest[i]!.label) !== intent;
  return {
    diaryAccuracy: share(diary, ({ intent }, i) => handler(intent) === diaryTest[i]!.label),
    diaryStrictAccuracy: share(diary, ({ isRight }) => isRight),
    diaryAsked: share(diary, ({ isAsked }) => isAsked),
    falseDiary: share(clinc, (one, i) => isFalse(one, i) && !one.isAsked),
    falseDiaryOnTop: share(clinc, isFalse),
  };
}

function curveOf(
  validation: readonly TextVerdict[],
  test: readonly TextVerdict[],
  cloudRight: readonly boolean[] | undefined,
): CurvePoint[] {
  const scores = validation.map(({ score }) => score).sort((a, b) => a - b);
  return CURVE_SHARES.map((validationAsked) => {
    const threshold = scores[Math.floor(validationAsked * scores.length)]!;
    const isAsked = ({ score }: TextVerdict): boolean => score < threshold;
    return {
      validationAsked,
      askedFraction: share(test, isAsked),
      localAccuracy: share(
        test.filter((one) => !isAsked(one)),
        ({ isRight }) => isRight,
      ),
      ...(cloudRight && { cascadeAccuracy: cascadeAccuracy(test, cloudRight, isAsked) }),
    };
  });
}

/** Microseconds of a query on this machine, tokenising included: the least mean of several passes, so that other programs count little. */
function microsPerQuery(model: IntentModel, examples: readonly TextExample[], now: () => number): number {
  const passes = Array.from({ length: 5 }, () => {
    const began = now();
    for (const { text } of examples) model.classify(text);
    return (1000 * (now() - began)) / examples.length;
  });
  return Math.min(...passes);
}
