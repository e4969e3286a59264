import { EXIT_NEVER } from "../../assembly/layout.ts";
import { createRandom } from "../core/system/random.ts";
import { createRadio } from "../power/radio.ts";
import { traceReader } from "./network-trace.ts";
import { neverAskingDay } from "./never-asking-day.ts";
import { countFrames } from "./paced-frames.ts";
import type { BaselineDay } from "./results.ts";
import { type DaySetting, floorJoules } from "./setting.ts";

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
  readonly mute: BaselineDay;
}

/** Baselines that ask nothing and tell what the governed day tells. */
export type NeverAsking = Pick<Baselines, "fullDepth" | "alwaysLocal">;

/** fullDepth: every hop to the last exit. alwaysLocal: exits on at the certified thresholds. */
export async function neverAskingDays(setting: DaySetting): Promise<NeverAsking> {
  const { exits } = setting.model.image;
  return {
    fullDepth: await neverAskingDay(
      setting,
      exits.map(() => EXIT_NEVER),
      true,
    ),
    alwaysLocal: await neverAskingDay(
      setting,
      exits.map(() => 0),
      false,
    ), // the core never goes below the certified ones
  };
}

/**
 * The same day without a governor: the two that never ask; alwaysCloud, which sends the raw window of each hop (int16) over a persistent
 * connection, has no local model, and whose processor's work is not counted; and mute, alwaysLocal whose radio is never on: nobody learns
 * of an event or an alarm.
 */
export async function baselineDays(setting: DaySetting): Promise<Baselines> {
  const local = await neverAskingDays(setting);
  const silent = createRadio(setting.radio);
  silent.advance(setting.day.seconds);
  const mute = { ...local.alwaysLocal, joules: { ...local.alwaysLocal.joules, radio: silent.joules } };
  return { ...local, alwaysCloud: await alwaysCloudDay(setting), mute };
}

/** Reads each hop's window from a session that runs no deeper than its first exit. */
async function alwaysCloudDay(setting: DaySetting): Promise<BaselineDay> {
  const { model, day, definition } = setting;
  const { image } = model;
  const { labels } = image.manifest;
  const session = model.createSession();
  session.setPoint({
    ...{ maxExit: 0, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
    thresholds: [],
  });
  const cloud = cloudDay(setting);
  const windowBytes = image.windowPatches * image.channels * image.patchFrames;
  const count = countFrames(definition.sensor.rateHz);
  for (const { tick, frame, truth } of day.frames()) {
    const { seconds } = count(tick);
    if (session.pushFrame(frame, tick).decision === undefined) continue;
    const context = session.context();
    const known = truth !== undefined && labels.includes(truth) ? labels.indexOf(truth) : undefined;
    await cloud.hop(seconds, context.subarray(Math.max(0, context.length - windowBytes)), known);
  }
  return cloud.end();
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
