import { DataError } from "../core/system/errors.ts";
import { createRandom } from "../core/system/random.ts";

/** State of the network from a time until the next entry. */
export interface NetworkState {
  readonly fromSeconds: number;
  readonly isUp: boolean;
  readonly rttMillis: number;
  readonly loss: number; // share of the packets, 0…1
}

/** Entries in the order of their time, the first at 0. */
export type NetworkTrace = readonly NetworkState[];

/** Means of the two states. Coverage 97.6 % of the time, as for a commuter; assumed. */
const UP_SECONDS = 2400;
const DOWN_SECONDS = 60;
/** Mean length of parts of a covered stretch; each has its own round trip and loss. */
const STEADY_SECONDS = 120;
const RTT_SPREAD = 0.5; // deviation of the logarithm
const LOSS_MEAN = 0.01;
const MAX_ENTRIES = 1_000_000;

/** Gilbert two-state network: up and down for exponential times; round trips are log-normal about the median. */
export function seededTrace(options: { readonly seed: number; readonly seconds: number; readonly rttMillis: number }): NetworkTrace {
  const random = createRandom(options.seed);
  const lasts = (mean: number): number => -mean * Math.log(1 - random.uniform());
  const trace: NetworkState[] = [];
  let at = 0;
  while (at < options.seconds && trace.length < MAX_ENTRIES) {
    const downAt = at + lasts(UP_SECONDS);
    while (at < downAt && at < options.seconds) {
      const rttMillis = Math.round(options.rttMillis * Math.exp(RTT_SPREAD * random.normal()));
      trace.push({ fromSeconds: at, isUp: true, rttMillis, loss: Math.min(0.5, lasts(LOSS_MEAN)) });
      at = Math.min(downAt, at + lasts(STEADY_SECONDS));
    }
    trace.push({ fromSeconds: at, isUp: false, rttMillis: options.rttMillis, loss: 1 });
    at += lasts(DOWN_SECONDS);
  }
  return trace;
}

/** Reads `time,up,rttMillis,loss`: seconds ascending from 0, up 0 or 1, loss 0…1. Throws TRACE_INVALID with the line. */
export function parseTrace(text: string, name: string): NetworkTrace {
  const trace: NetworkState[] = [];
  const fail = (line: number, why: string): never => {
    throw new DataError("TRACE_INVALID", `${name}:${line}: ${why}. Write lines of time,up,rttMillis,loss, ascending from time 0.`);
  };
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const row = raw.trim();
    if (row === "" || row.startsWith("#") || (trace.length === 0 && /^time\s*,/i.test(row))) continue;
    const fields = row.split(",").map((field) => field.trim());
    const [time, up, rttMillis, loss] = fields.map(Number);
    if (fields.length !== 4 || fields.includes("") || ![time, up, rttMillis, loss].every(Number.isFinite))
      fail(i + 1, `"${row.slice(0, 80)}" is not four numbers`);
    if (up !== 0 && up !== 1) fail(i + 1, `up is ${up}, not 0 or 1`);
    if (rttMillis! < 0 || loss! < 0 || loss! > 1) fail(i + 1, "a round trip is not negative, and a loss lies in 0…1");
    if (time! < (trace.at(-1)?.fromSeconds ?? 0) || (trace.length === 0 && time !== 0)) fail(i + 1, `time ${time} does not ascend from 0`);
    if (trace.length >= MAX_ENTRIES) fail(i + 1, `more than ${MAX_ENTRIES} lines`);
    trace.push({ fromSeconds: time!, isUp: up === 1, rttMillis: rttMillis!, loss: loss! });
  }
  if (trace.length === 0) fail(1, "there is no line of numbers");
  return trace;
}

/** The state at a time, for times that mostly ascend. */
export function traceReader(trace: NetworkTrace): (atSeconds: number) => NetworkState {
  let i = 0;
  return (at) => {
    if (trace[i]!.fromSeconds > at) i = 0;
    while (i + 1 < trace.length && trace[i + 1]!.fromSeconds <= at) i++;
    return trace[i]!;
  };
}
