import { openTeacher } from "../cloud/open-teacher.ts";
import type { SubjectList } from "../core/image/image-types.ts";
import type { EvalSetting } from "../eval/eval-setting.ts";
import type { AskInput } from "../policy/govern/ask-inputs.ts";
import { type Board, loadRadio } from "../power/board.ts";
import { type RadioKind, radioKinds } from "../power/board-power.ts";
import { createRadio } from "../power/radio.ts";
import { countRecordings, runUser, usersOf } from "./as-shipped.ts";
import { ANSWER_BYTES } from "./baselines.ts";
import { createSimulatedCloud } from "./cloud.ts";
import type { RecordingsResult } from "./recordings-run.ts";

/** What asks of one form cost and bring over recordings. */
export interface AskFormCost {
  readonly form: AskInput["form"];
  readonly atExit: number | undefined; // of activations
  readonly asked: number;
  readonly bytesPerAsk: number; // the whole payload
  readonly sensorBytesPerAsk: number;
  readonly millijoulesPerAsk: Readonly<Record<RadioKind, number>>; // one ask and its answer on a connected, idle radio; its tail included
  readonly cloudRight: number; // share of answers
  readonly deviceRight: number; // share of the same decisions
  readonly shownRight: number; // share of all decisions
}

/** Runs the agent over the users' recordings once per form, that form alone being declared; `board` has the radios. */
export async function measureAskForms(setting: EvalSetting, users: SubjectList, board: Board): Promise<AskFormCost[]> {
  const { agent, model } = setting;
  const lowerExits = model.image.exits.slice(0, -1).map((_, atExit): AskInput => ({ form: "activations", worth: 1, atExit }));
  const inputs: AskInput[] = [{ form: "features", worth: 1 }, { form: "raw", worth: 1 }, ...lowerExits];
  const cloud = createSimulatedCloud(await openTeacher(agent, model.engine));
  const costs: AskFormCost[] = [];
  const progress = countRecordings(setting, users, inputs.length);
  for (const input of inputs) {
    const definition = { ...agent.definition, asks: { ...agent.definition.asks, inputs: [input] } };
    const results: RecordingsResult[] = [];
    for (const user of usersOf(setting, users))
      results.push(await runUser({ ...setting, agent: { ...agent, definition } }, user, cloud, { onRecording: progress.onRecording }));
    costs.push(costOf(input, results, board));
  }
  progress.end();
  return costs;
}

function costOf({ form, atExit }: AskInput, results: readonly RecordingsResult[], board: Board): AskFormCost {
  const sum = (value: (result: RecordingsResult) => number): number => results.reduce((total, result) => total + value(result), 0);
  const mean = (value: (result: RecordingsResult) => number, of: (result: RecordingsResult) => number): number =>
    sum(value) / Math.max(1, sum(of));
  const bytesPerAsk = mean(
    ({ asksSent }) => asksSent.bytes,
    ({ asksSent }) => asksSent.sent,
  );
  const joules = (kind: RadioKind): number => {
    const profile = loadRadio(board, kind);
    const waitSeconds = profile.roundTripMillis.value / 1000;
    return createRadio(profile, { isAlwaysConnected: true }).priceJoules(0, { bytesUp: bytesPerAsk, bytesDown: ANSWER_BYTES, waitSeconds });
  };
  return {
    form,
    atExit,
    asked: sum(({ counters }) => counters.asked),
    bytesPerAsk,
    sensorBytesPerAsk: mean(
      (one) => one.sensorBytes,
      ({ asksSent }) => asksSent.sent,
    ),
    millijoulesPerAsk: Object.fromEntries(radioKinds.map((kind) => [kind, 1000 * joules(kind)])) as Record<RadioKind, number>,
    cloudRight: mean(
      ({ answers }) => answers.cloudRight,
      ({ answers }) => answers.scored,
    ),
    deviceRight: mean(
      ({ answers }) => answers.deviceRight,
      ({ answers }) => answers.scored,
    ),
    shownRight: mean(
      ({ counters }) => counters.truth.shownRight,
      ({ counters }) => counters.truth.decisions,
    ),
  };
}
