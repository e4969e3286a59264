import { EXIT_NEVER } from "../../assembly/layout.ts";
import type { Session } from "../core/session/session-types.ts";
import { createRandom } from "../core/system/random.ts";
import { createOpsMeter } from "../power/ops-meter.ts";
import { createRadio } from "../power/radio.ts";
import { traceReader } from "./network-trace.ts";
import type { BaselineDay } from "./results.ts";
import { type DaySetting, freshDevice } from "./setting.ts";

/** MQTT and CBOR around a raw window: its node, agent, tick and labels. */
const WINDOW_HEAD_BYTES = 120;
export const ANSWER_BYTES = 160;
const SERVICE_MILLIS = 20;
const RESEND_SECONDS = 1;
const MOST_SENDS = 6;

export interface Baselines {
  readonly fullDepth: BaselineDay;
  readonly alwaysLocal: BaselineDay;
  readonly alwaysCloud: BaselineDay;
}

/**
 * The same day without a governor, all three in one pass over its frames.
 * fullDepth: every hop to the last exit, never asks. alwaysLocal: exits on at the certified thresholds, never asks. alwaysCloud: the raw
 * window of each hop (int16) is sent over a persistent connection. It has no local model, and its processor's work is not counted.
 */
export async function baselineDays(setting: DaySetting): Promise<Baselines> {
  const { model, day } = setting;
  const { image } = model;
  const { labels } = image.manifest;
  const last = image.exits.length - 1;
  const open = (thresholds: number[]): Session => {
    const session = model.createSession();
    session.setPoint({
      ...{ maxExit: last, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds,
    });
    return session;
  };
  const full = localDay(setting, open(image.exits.map(() => EXIT_NEVER)), true);
  const local = localDay(setting, open([]), false);
  const cloud = cloudDay(setting);
  const windowBytes = image.windowPatches * image.channels * image.patchFrames;
  let seenTick: number | undefined;
  let frames = 0;
  for (const { tick, frame, truth } of day.frames()) {
    const gap = seenTick === undefined ? 1 : (tick - seenTick) >>> 0;
    seenTick = tick;
    frames += gap <= setting.definition.sensor.rateHz ? gap : 1;
    const known = truth !== undefined && labels.includes(truth) ? labels.indexOf(truth) : undefined;
    const context = full.push(frame, tick, known);
    local.push(frame, tick, known);
    if (context !== undefined)
      await cloud.hop(frames / setting.definition.sensor.rateHz, context.subarray(Math.max(0, context.length - windowBytes)), known);
  }
  return { fullDepth: full.end(), alwaysLocal: local.end(), alwaysCloud: cloud.end() };
}

function floorJoules(setting: DaySetting): { sensor: number; sleep: number } {
  const { energy } = freshDevice(setting);
  return { sensor: energy.sensorWatts * setting.day.seconds, sleep: energy.sleepWatts * setting.day.seconds };
}

/** A session that never asks. Its radio stays off. */
function localDay(setting: DaySetting, session: Session, isAlwaysAnswered: boolean) {
  const { energy } = freshDevice(setting);
  const meter = createOpsMeter(setting.model.image);
  const decisionSeconds: number[] = [];
  let compute = 0;
  let scored = 0;
  let right = 0;
  let answered = 0;
  return {
    /** The session's context if a decision was made. */
    push(frame: Int16Array, tick: number, known: number | undefined): Int8Array | undefined {
      const { decision, reset } = session.pushFrame(frame, tick);
      if (reset) meter.reset();
      if (decision === undefined) return undefined;
      const ops = meter.read(decision);
      compute += energy.computeJoules(ops);
      decisionSeconds.push(energy.computeSeconds(ops));
      if (isAlwaysAnswered || decision.why === "exit") answered++;
      if (known !== undefined) {
        scored++;
        if (decision.label === known) right++;
      }
      return session.context();
    },
    end(): BaselineDay {
      const radio = createRadio(setting.radio);
      radio.advance(setting.day.seconds);
      return {
        decisions: decisionSeconds.length,
        accuracy: right / Math.max(1, scored),
        joules: { compute, radio: radio.joules, ...floorJoules(setting) },
        decisionSeconds,
        answeredInDeadline: answered,
      };
    },
  };
}

/** Sends each hop's window over a persistent connection, in order; a window past its deadline is dropped. */
function cloudDay(setting: DaySetting) {
  const { model, radio: profile, trace, cloud, definition } = setting;
  const { image, imageHash } = model;
  const radio = createRadio(profile, { isAlwaysConnected: true });
  const random = createRandom(setting.seed ^ 0xc10d);
  const stateAt = traceReader(trace);
  const deadline = definition.asks.deadlineSeconds;
  const rawBytes = image.windowPatches * image.patchFrames * image.channels * 2 + WINDOW_HEAD_BYTES;
  const decisionSeconds: number[] = [];
  let scored = 0;
  let right = 0;
  let answered = 0;
  let shown: number | undefined;

  /** Arrival time of the answer; undefined if it is lost. */
  function exchange(asked: number): number | undefined {
    let at = asked;
    for (let sends = 0; sends < MOST_SENDS; sends++) {
      while (!stateAt(at).isUp) {
        at = nextUp(at);
        if (at > asked + deadline) return undefined;
      }
      const { rttMillis, loss } = stateAt(at);
      const sent = radio.carry(at, rawBytes, 0);
      if (random.uniform() < loss || random.uniform() < loss) {
        at = sent + RESEND_SECONDS;
        continue;
      }
      const back = radio.carry(sent + (rttMillis + SERVICE_MILLIS) / 1000, 0, ANSWER_BYTES);
      return back - asked > deadline ? undefined : back;
    }
    return undefined;
  }
  function nextUp(at: number): number {
    const next = trace.find(({ fromSeconds, isUp }) => fromSeconds > at && isUp);
    return next?.fromSeconds ?? Number.POSITIVE_INFINITY;
  }

  return {
    async hop(at: number, patches: Int8Array, known: number | undefined): Promise<void> {
      const end = exchange(at);
      const isAnswered = end !== undefined && cloud !== undefined;
      decisionSeconds.push(isAnswered ? end - at : deadline);
      if (isAnswered) {
        answered++;
        const { labels } = image.manifest;
        const word = await cloud.answer({
          ...{
            id: "0".repeat(32),
            node: "wearer",
            agent: definition.name,
            imageHash,
            labels,
            tick: 0,
            patches,
            windowPatches: image.windowPatches,
          },
          ...{
            patchBytes: image.channels * image.patchFrames,
            local: { label: 0, confidenceQ15: 0, exit: 0 },
            deadlineAtMillis: Number.MAX_SAFE_INTEGER,
          },
        });
        shown = word.label;
      }
      if (known === undefined) return;
      scored++;
      if (shown === known) right++;
    },
    end(): BaselineDay {
      radio.advance(setting.day.seconds);
      return {
        decisions: decisionSeconds.length,
        accuracy: right / Math.max(1, scored),
        joules: { compute: 0, radio: radio.joules, ...floorJoules(setting) },
        decisionSeconds,
        answeredInDeadline: answered,
      };
    },
  };
}
