import { openTeacher } from "../cloud/open-teacher.ts";
import type { SubjectList } from "../core/image/image-types.ts";
import { type EvalSetting, recordingsFor } from "../eval/eval-setting.ts";
import { createSimulatedCloud, type SimulatedCloud } from "./cloud.ts";
import { type RecordingsResult, type RecordingsRun, runRecordings } from "./recordings-run.ts";

/** What an agent did over whole recordings, run as `dormouse run` runs it: every hop is decided, unsure ones are asked as it declares. */
export interface AsShipped {
  readonly decisions: number; // with a label to score them by
  readonly modelAccuracy: number; // of the model's own labels
  readonly accuracy: number; // of the shown labels, a hop later: answers and debounce included
  readonly asked: number;
  readonly askedFraction: number; // of all decisions
  readonly answered: number;
  readonly asksByForm: Readonly<Record<string, number>>;
  readonly sensorBytesPerHour: number; // that asks carried
  readonly events: number;
  readonly alarms: number;
  readonly byWearer: readonly {
    readonly user: string;
    readonly decisions: number;
    readonly modelAccuracy: number;
    readonly accuracy: number;
  }[];
}

/** Runs the agent over each user's recordings, its own teacher answering over a simulated network. */
export async function runAsShipped(setting: EvalSetting, users: SubjectList): Promise<AsShipped> {
  setting.out.note("Running the agent as it ships …");
  const cloud = createSimulatedCloud(await openTeacher(setting.agent, setting.model.engine));
  const runs: { user: string; result: RecordingsResult }[] = [];
  const progress = countRecordings(setting, users);
  for (const user of usersOf(setting, users)) runs.push({ user, result: await runUser(setting, user, cloud, progress) });
  progress.end();
  const sum = (value: (result: RecordingsResult) => number): number => runs.reduce((total, { result }) => total + value(result), 0);
  const asksByForm: Record<string, number> = {};
  for (const { result } of runs)
    for (const [form, count] of Object.entries(result.asksByForm)) asksByForm[form] = (asksByForm[form] ?? 0) + count;
  const hours = sum(({ counters }) => counters.frames) / setting.agent.definition.sensor.rateHz / 3600;
  const decisions = sum(({ counters }) => counters.truth.decisions);
  const asked = sum(({ counters }) => counters.asked);
  return {
    decisions,
    modelAccuracy: sum(({ counters }) => counters.truth.localRight) / Math.max(1, decisions),
    accuracy: sum(({ counters }) => counters.truth.shownRight) / Math.max(1, decisions),
    asked,
    askedFraction:
      asked /
      Math.max(
        1,
        sum(({ counters }) => counters.decisions),
      ),
    answered: sum(({ counters }) => counters.answered),
    asksByForm,
    sensorBytesPerHour: sum(({ sensorBytes }) => sensorBytes) / hours,
    events: sum(({ counters }) => counters.events),
    alarms: sum(({ alarms }) => alarms),
    byWearer: runs.map(({ user, result: { counters } }) => {
      const { decisions: own, localRight, shownRight } = counters.truth;
      return { user, decisions: own, modelAccuracy: localRight / Math.max(1, own), accuracy: shownRight / Math.max(1, own) };
    }),
  };
}

/** Runs the agent over one user's recordings. */
export function runUser(
  { agent, model, dataset }: Pick<EvalSetting, "agent" | "model" | "dataset">,
  user: string,
  cloud: SimulatedCloud,
  { personalized, onRecording }: Pick<RecordingsRun, "personalized" | "onRecording"> = {},
): Promise<RecordingsResult> {
  const recordings = recordingsFor({ dataset, model }, [user]);
  const more = { ...(personalized && { personalized }), ...(onRecording && { onRecording }) };
  return runRecordings({ definition: agent.definition, model, recordings, cloud, ...more });
}

/** Shows how many recordings of the users are done, of `rounds` times all of them. */
export function countRecordings(setting: EvalSetting, users: SubjectList, rounds = 1) {
  const total = rounds * recordingsFor(setting, users).length;
  const progress = setting.out.progress("recordings");
  let done = 0;
  return { onRecording: () => progress.at(++done, total), end: progress.end };
}

/** The users of a list that have recordings. */
export function usersOf(setting: EvalSetting, users: SubjectList): string[] {
  return [...new Set(recordingsFor(setting, users).map(({ subject }) => subject))];
}
