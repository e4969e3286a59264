import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { LoadedTextAgent } from "../../agent/registry.ts";
import { openIntents } from "../../cloud/intents/open-intents.ts";
import { ConfigError } from "../../core/system/errors.ts";
import type { Output } from "../../core/system/output.ts";
import { percentText, table } from "../../core/system/table.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { loadClinc150 } from "../../data/clinc150.ts";
import { isTextCsv, readTextCsv } from "../../data/csv/text-csv.ts";
import type { TextExample } from "../../data/text-example.ts";
import { type Spread, spread, spreadText } from "../../eval/seed-summary.ts";
import { readDiaryTest } from "../../eval/text/diary-test.ts";
import { type AssistantFigures, evaluateAssistant } from "../../eval/text/evaluate-assistant.ts";
import { judgeTexts, scoreVerdicts } from "../../eval/text/score-texts.ts";
import { runFiles } from "../../train/run-folder.ts";

interface EvalTextOptions {
  readonly data: string; // absolute
  readonly model?: string;
  readonly runs?: string;
  readonly cascade: boolean; // what is asked is answered by the intents of a worker
}

const NAMES: Readonly<Partial<Record<keyof AssistantFigures, string>>> = {
  inScopeAccuracy: "in scope, right",
  askedFraction: "in scope, asked",
  localAccuracy: "answered on the device, right",
  localAccuracyWithOos: "the same with out-of-scope queries kept",
  oosAsked: "out of scope, asked",
  deviceOnAsked: "asked, the device right",
  cloudOnAsked: "asked, the cloud right",
  cloudAccuracy: "in scope, the cloud alone right",
  cascadeAccuracy: "in scope, device and cloud right",
  diaryAccuracy: "diary phrasings, right",
  diaryStrictAccuracy: "diary phrasings, the very intent",
  diaryAsked: "diary phrasings, asked",
  falseDiary: "CLINC150 wrongly answered as a diary intent",
  falseDiaryOnTop: "the same, asked ones too",
};

/** Scores a text agent: the assistant on CLINC150 and the diary's test phrasings, any other on a CSV of texts. */
export async function evalTexts(out: Output, agent: LoadedTextAgent, options: EvalTextOptions): Promise<void> {
  if (isTextCsv(options.data)) return evalCsv(out, agent, options);
  const clinc = loadClinc150(options.data);
  const diaryTest = readDiaryTest(agent);
  const figures: AssistantFigures[] = [];
  const cloudIntents = await askCloud(out, agent, clinc.test, options.cascade);
  const models = options.runs === undefined ? [options.model ?? agent.modelPath] : seedImages(options.runs);
  for (const path of models) {
    out.note(`Scoring ${path} …`);
    const model = await IntentModel.open(path);
    const cloud = cloudIntents === undefined ? {} : { cloudIntents };
    figures.push(evaluateAssistant({ model, definition: agent.definition, clinc, diaryTest, now: () => performance.now(), ...cloud }));
  }
  const first = figures[0]!;
  const rows = (Object.keys(NAMES) as (keyof AssistantFigures)[])
    .filter((key) => first[key] !== undefined)
    .map((key) => [NAMES[key]!, spreadText(over(figures, key))]);
  out.say(
    `${agent.definition.name}: ${clinc.test.length} queries in scope, ${clinc.outOfScope.test.length} out of scope, ${diaryTest.length} diary phrasings`,
  );
  for (const line of table(["", ""], rows).slice(1)) out.say(line);
  const points = first.curve.map((point, i) => {
    const of = (key: "askedFraction" | "localAccuracy"): string => spreadText(spread(figures.map(({ curve }) => curve[i]![key])));
    const cascades = figures.flatMap(({ curve }) => curve[i]!.cascadeAccuracy ?? []);
    return [
      ...[percentText(point.validationAsked), of("askedFraction"), of("localAccuracy")],
      ...(cascades.length === 0 ? [] : [spreadText(spread(cascades))]),
    ];
  });
  out.say();
  for (const line of table(
    ["asked of validation", "asked of test", "right of the rest", ...(cloudIntents ? ["device and cloud right"] : [])],
    points,
  ))
    out.say(line);
  out.say(
    `${Math.max(...figures.map(({ imageBytes }) => imageBytes))} B image, ${over(figures, "microsPerQuery").mean.toFixed(1)} µs per query`,
  );
  const isMany = figures.length > 1;
  const keys = Object.keys(first).filter((key) => key !== "curve") as (keyof AssistantFigures)[];
  out.document({
    agent: agent.definition.name,
    ...(isMany ? Object.fromEntries(keys.map((key) => [key, over(figures, key)])) : first),
    ...(isMany && { runs: figures.map((own, i) => ({ model: models[i], ...own })) }),
  });
}

/**
 * What the cloud's intents say of texts; undefined if this machine cannot tell: then why is said, and the device's part stands alone.
 * `isRequired`: that is thrown.
 */
async function askCloud(
  out: Output,
  { folder }: LoadedTextAgent,
  examples: readonly TextExample[],
  isRequired: boolean,
): Promise<string[] | undefined> {
  try {
    const classifier = await openIntents(folder);
    out.note(`Asking the cloud's intents ${examples.length} queries: a minute or two …`);
    return (await classifier.classify(examples.map(({ text }) => text))).map(({ intent }) => intent);
  } catch (error) {
    if (isRequired || !(error instanceof ConfigError)) throw error;
    out.note(`Without the cloud's part: ${error.message}`);
    return undefined;
  }
}

function over(figures: readonly AssistantFigures[], key: keyof AssistantFigures): Spread {
  return spread(figures.map((own) => own[key] as number));
}

async function evalCsv(out: Output, agent: LoadedTextAgent, { data, model: path, runs }: EvalTextOptions): Promise<void> {
  if (runs !== undefined) throw new ConfigError("EVAL_OPTIONS", "--runs goes with CLINC150: for a CSV of texts give --model FILE.");
  const model = await IntentModel.open(path ?? agent.modelPath);
  const outOfScope = model.manifest.labels.filter((label) => !agent.definition.local.includes(label));
  const examples = readTextCsv(data);
  const score = scoreVerdicts(judgeTexts(model, examples, outOfScope));
  out.say(
    `${agent.definition.name}: ${score.texts} texts, ${percentText(score.accuracy, 2)} right; ${percentText(score.askedFraction, 2)} asked, ${percentText(score.localAccuracy, 2)} of the rest right`,
  );
  out.document({ agent: agent.definition.name, data, ...score, imageBytes: model.imageBytes });
}

/** The image of every seed that `train` left in a folder, in order. Throws EVAL_NO_RUNS. */
function seedImages(dir: string): string[] {
  const seeds = existsSync(dir) ? readdirSync(dir).flatMap((name) => /^seed-(\d+)$/.exec(name)?.[1] ?? []) : [];
  const paths = seeds
    .map(Number)
    .sort((a, b) => a - b)
    .map((seed) => join(resolve(dir), `seed-${seed}`, runFiles.image))
    .filter((path) => existsSync(path));
  if (paths.length > 0) return paths;
  throw new ConfigError("EVAL_NO_RUNS", `${dir} has no seed-<n>/${runFiles.image}: give the --out folder of dormouse train.`);
}
