import type { AgentDefinition } from "../agent/define-agent.ts";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../agent/registry.ts";
import { runAgent } from "../agent/run-agent.ts";
import { openSensor } from "../agent/sensors/open-sensor.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import { DataError, DormouseError } from "../core/system/errors.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { type Diary, openDiary } from "../diary/diary.ts";
import type { DiaryAlarm } from "../diary/diary-types.ts";

/** The agents that write the assistant's diary. */
const AGENTS = ["activity", "fall"] as const;
/** Decisions of one recording that are held until its end is known: 170 hours. */
const MOST_HELD = 500_000;

export interface NoteSensorOptions {
  readonly io: Pick<CliIo, "clock" | "cwd" | "interrupt">;
  /** Of the diary. */
  readonly folder: string;
  /** As `--sensor` names it. */
  readonly sensor: string;
  readonly speed: number;
  readonly seconds?: number;
  readonly note: (line: string) => void;
}

/** A sensor that is being noted. */
export interface NotedSensor {
  /** Writes what the diaries hold in memory: call before they are read. */
  save(): void;
  /** Settles when the sensor has ended or the signal has aborted. */
  readonly ended: Promise<void>;
}

/** Has `activity` and `fall` note what a sensor gives, at the pace of their frames, until the signal aborts. */
export function noteSensor(
  options: NoteSensorOptions & { readonly signal: AbortSignal; readonly onAlarm: (alarm: DiaryAlarm) => void },
): NotedSensor {
  const { onAlarm, signal } = options;
  const diaries: Diary[] = [];
  const ended = eachAgent(options, signal, (diary) => {
    diaries.push(diary);
    return {
      ...diary,
      alarm(alarm) {
        diary.alarm(alarm);
        onAlarm(alarm);
      },
    };
  });
  ended.catch(() => {}); // who awaits the end gets the error
  return {
    save() {
      for (const diary of diaries) diary.save();
    },
    ended,
  };
}

/** Has `activity` and `fall` note a recording as if it ended now; it replaces what the diary had for that time. */
export async function noteRecording(options: NoteSensorOptions): Promise<void> {
  const { clock, interrupt } = options.io;
  const held: { readonly agent: AgentDefinition; readonly calls: HeldCalls }[] = [];
  for (const { agent, sensor } of await openAll(options)) {
    const calls = holdCalls(clock.wall());
    await runOne(agent, sensor, options, interrupt, calls.diary);
    held.push({ agent: agent.definition, calls });
  }
  const end = clock.wall();
  const fromMillis = end - Math.max(...held.map(({ calls }) => calls.lastMillis));
  for (const { agent, calls } of held) {
    const diary = openDiary({ ...diaryOptions(options), agent: agent.name, alarm: agent.alarm, fromMillis });
    calls.writeTo(diary, fromMillis);
    diary.close();
  }
}

function diaryOptions({ io, folder, note }: NoteSensorOptions) {
  return { folder, clock: io.clock, onTrouble: (reason: string) => note(`The diary is not kept: ${reason}`) };
}

async function eachAgent(options: NoteSensorOptions, signal: AbortSignal, observed: (diary: Diary) => Diary): Promise<void> {
  const opened = await openAll(options);
  await Promise.all(
    opened.map(async ({ agent, sensor }) => {
      const { name, alarm } = agent.definition;
      const diary = openDiary({ ...diaryOptions(options), agent: name, alarm });
      try {
        await runOne(agent, sensor, options, signal, observed(diary));
      } finally {
        diary.close();
      }
    }),
  );
}

interface Opened {
  readonly agent: LoadedAgent;
  readonly sensor: Sensor;
}

/** The agents that can read the sensor. Throws the first one's reason if none can: a layout may suit one of them alone. */
async function openAll({ io, sensor, note }: NoteSensorOptions): Promise<readonly Opened[]> {
  const opened: Opened[] = [];
  const reasons: { readonly name: string; readonly error: DormouseError }[] = [];
  for (const name of AGENTS) {
    const agent = await loadAgent(name);
    try {
      opened.push({ agent, sensor: openSensor(sensor, agent, io.cwd) });
    } catch (error) {
      if (!(error instanceof DormouseError)) throw error;
      reasons.push({ name, error });
    }
  }
  if (opened.length === 0) throw reasons[0]!.error;
  for (const { name, error } of reasons) note(`${name} does not read this sensor: ${error.message}`);
  return opened;
}

async function runOne(agent: LoadedAgent, sensor: Sensor, options: NoteSensorOptions, signal: AbortSignal, diary: Diary): Promise<void> {
  const { io, speed, seconds } = options;
  const model = await openAgentModel(agent);
  const run = runAgent({
    definition: agent.definition,
    model,
    sensor,
    clock: io.clock,
    pace: { speed, ...(seconds === undefined ? {} : { seconds }) },
    diary,
    signal,
  });
  await run.ended;
  await run.close();
}

/** Calls of a diary that are made later, when it is known at which wall time they happened. */
interface HeldCalls {
  readonly diary: Diary;
  readonly lastMillis: number; // of the last call, since the start
  writeTo(diary: Diary, fromMillis: number): void;
}

function holdCalls(startMillis: number): HeldCalls {
  const calls: ((diary: Diary, fromMillis: number) => void)[] = [];
  let lastMillis = 0;
  const hold = (call: (typeof calls)[number]) => {
    if (calls.length >= MOST_HELD)
      throw new DataError(
        "RECORDING_LONG",
        `the recording has more than ${MOST_HELD} decisions: limit it with --seconds, or choose a part.`,
      );
    calls.push(call);
  };
  const since = (atMillis: number): number => {
    lastMillis = Math.max(lastMillis, atMillis - startMillis);
    return atMillis - startMillis;
  };
  return {
    diary: {
      observe({ atMillis, label, probability }) {
        const at = since(atMillis);
        hold((diary, from) => diary.observe({ atMillis: from + at, label, probability }));
      },
      alarm({ atMillis, label, probability }) {
        const at = since(atMillis);
        hold((diary, from) => diary.alarm({ atMillis: from + at, label, probability }));
      },
      interrupt: () => hold((diary) => diary.interrupt()),
      save() {},
      close() {},
    },
    get lastMillis() {
      return lastMillis;
    },
    writeTo(diary, fromMillis) {
      for (const call of calls) call(diary, fromMillis);
    },
  };
}
