import { resolve } from "node:path";
import { privacyBytesPerDay } from "../agent/board-governor.ts";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../agent/registry.ts";
import { readSyntheticParameters } from "../agent/sensors/synthetic-sensor.ts";
import { hasTeacher, openTeacher } from "../cloud/open-teacher.ts";
import type { Model } from "../core/session/model.ts";
import type { EngineName } from "../core/session/session-types.ts";
import { ConfigError, DataError } from "../core/system/errors.ts";
import type { Output } from "../core/system/output.ts";
import { readWhole } from "../core/system/read-whole.ts";
import { openRecordings } from "../data/open-recordings.ts";
import { selectRecordings } from "../data/recording.ts";
import { FAULT_SEED, type FaultName, withFault } from "../data/sensor-faults.ts";
import { labelImpact } from "../data/sisfall-impact.ts";
import type { ScoredList } from "../eval/eval-setting.ts";
import { policyFromCertificate, readPolicy } from "../policy/govern/policy-file.ts";
import { loadBoard, loadRadio } from "../power/board.ts";
import type { RadioKind } from "../power/board-power.ts";
import { poweredBoard } from "../power/powered-board.ts";
import { createSimulatedCloud, type SimulatedCloud } from "./cloud.ts";
import { type Day, recordedDay, syntheticDay } from "./day.ts";
import { parseTrace, seededTrace } from "./network-trace.ts";
import type { DaySetting } from "./setting.ts";

/** Options of a day. */
export interface DayOptions {
  readonly board: string;
  readonly radio: RadioKind;
  readonly hours: number;
  readonly seed: number;
  readonly data?: string;
  readonly wearers: ScoredList;
  readonly wearer?: string;
  readonly fault?: FaultName;
  readonly network?: string;
  readonly ambient: number;
  readonly battery: number; // % at the start
  readonly targetHours: number;
  readonly privacyBytes?: number;
  readonly reportSeconds?: number; // default: the agent's
  readonly engine: EngineName;
}

/** Amplitude of the daily air temperature, kelvin; the peak is at 15:00. */
const AMBIENT_SWING_KELVIN = 3;
const DAY_SECONDS = 86_400;

/** Opens agent, board, recordings, network and cloud of a day. */
export async function openDay(
  name: string,
  options: DayOptions,
  cwd: string,
  out: Output,
): Promise<DaySetting & { readonly agent: LoadedAgent }> {
  const agent = await loadAgent(name, cwd);
  const board = poweredBoard(loadBoard(options.board));
  const radio = loadRadio(board, options.radio);
  const model = await openAgentModel(agent, { engine: options.engine });
  const seconds = options.hours * 3600;
  const trace =
    options.network === undefined
      ? seededTrace({ seed: options.seed, seconds: seconds + 60, rttMillis: radio.roundTripMillis.value })
      : parseTrace(readText(resolve(cwd, options.network)), options.network);
  return {
    agent,
    ...{ definition: agent.definition, model, board, radioKind: options.radio, radio, trace, seed: options.seed },
    day: shownDay(openFrames(agent, model, options, cwd, out), agent.definition.sensor.rateHz, out),
    cloud: await cloudOf(agent, options.engine, out),
    policy: agent.policyPath === undefined ? policyFromCertificate(model) : readPolicy(agent.policyPath, model.imageHash),
    ambientCelsius: (at) => options.ambient + AMBIENT_SWING_KELVIN * Math.sin(2 * Math.PI * (at / DAY_SECONDS - 9 / 24)),
    stateOfCharge: options.battery / 100,
    targetSeconds: options.targetHours * 3600,
    privacyBytesPerDay: options.privacyBytes ?? privacyBytesPerDay(agent.definition.asks),
    reportSeconds: options.reportSeconds ?? agent.definition.events.reportSeconds,
  };
}

/** The day, showing how far each run over it is. */
function shownDay(day: Day, rateHz: number, out: Output): Day {
  let runs = 0;
  function* frames() {
    const progress = out.progress(`run ${++runs} over the day: minutes`);
    let seen = 0;
    for (const frame of day.frames()) {
      yield frame;
      if (++seen % (60 * rateHz) === 0) progress.at(seen / (60 * rateHz), Math.round(day.seconds / 60));
    }
    progress.end();
  }
  return { ...day, frames };
}

/** The agent's teacher behind a simulated network. */
async function cloudOf(agent: LoadedAgent, engine: EngineName, out: Output): Promise<SimulatedCloud | undefined> {
  if (hasTeacher(agent)) return createSimulatedCloud(await openTeacher(agent, engine));
  out.note(`Agent ${agent.definition.name} names no teacher: no ask of this day is answered.`);
  return undefined;
}

function openFrames(agent: LoadedAgent, model: Model, options: DayOptions, cwd: string, out: Output): Day {
  const { labels, protocol } = model.manifest;
  const { hours, seed, data, fault } = options;
  if (data === undefined) {
    if (agent.syntheticPath === undefined)
      throw new ConfigError("DAY_NO_DATA", `agent ${agent.definition.name} has no synthetic wearer. Give recordings with --data DIR.`);
    if (fault !== undefined) throw new ConfigError("DAY_NO_DATA", "--fault applies to recordings. Give some with --data DIR.");
    return syntheticDay({ parameters: readSyntheticParameters(agent.syntheticPath), labels, hours, seed });
  }
  out.note(`Reading ${data} …`);
  const dataset = openRecordings(resolve(cwd, data), model.manifest, agent.definition.data);
  const users = options.wearer === undefined ? protocol[options.wearers] : [options.wearer];
  const own = selectRecordings(dataset, users);
  if (own.length === 0)
    throw new DataError(
      "DAY_NO_RECORDINGS",
      `the folder has no recording of the wearers ${users.join(" ")}. Give the data that the model was made with.`,
    );
  const recordings = fault === undefined ? own : withFault(own, fault, FAULT_SEED);
  const isApart = agent.definition.data === "sisfall"; // trials, each with one fall or none
  const day = { recordings: isApart ? recordings.map(labelImpact) : recordings, isApart };
  return recordedDay({ ...day, labels, hours, rateHz: agent.definition.sensor.rateHz, seed });
}

function readText(path: string): string {
  try {
    return Buffer.from(readWhole(path)).toString("utf8");
  } catch (cause) {
    throw new DataError("TRACE_UNREADABLE", `cannot read the network trace ${path}: ${String(cause)}. Check the path.`, { cause });
  }
}
