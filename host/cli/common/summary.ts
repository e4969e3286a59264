import type { AlarmTallies } from "../../agent/alarm-tally.ts";
import type { Loop, SuspicionCounts } from "../../agent/loop-types.ts";
import type { TruthCounts } from "../../agent/truth-score.ts";
import type { Output } from "../../core/system/output.ts";
import { countText, percentText } from "../../core/system/table.ts";
import type { PersonalizationStatus } from "../../personalize/personalized-session.ts";

/** What a wearable did: the JSON document of `demo` and `run`. */
export interface Summary {
  readonly agent: string;
  readonly seconds: number; // sensor seconds
  readonly decisions: number;
  readonly events: number;
  readonly asked: number;
  readonly answered: number;
  readonly expired: number;
  readonly refused: number;
  readonly evicted: number;
  readonly pending: number;
  readonly lost: number; // ids in no state at this end; `demo` compares both ledgers
  readonly exits: readonly number[];
  readonly meanMacs: number;
  readonly withheld: number; // decisions while the sensor was implausible
  readonly suspicions?: SuspicionCounts; // of an agent that declares them
  readonly truth?: TruthCounts; // where the wearer's truth is known
  readonly personalization?: PersonalizationStatus; // of run --personalize
  readonly [key: string]: unknown;
}

/** The document's keys in the issue's order, then the rest. */
export function buildSummary(agent: string, loop: Loop, rateHz: number, lost: number): Summary {
  const counters = loop.counters();
  const { decisions, events, asked, answered, expired, refused, evicted, pending, exits, meanMacs } = counters;
  const { applied, gaps, resets, ignored, anomalies, withheld, truth } = counters;
  const anomaliesByKind = loop.asker?.counts();
  return {
    agent,
    seconds: counters.frames / rateHz,
    decisions,
    events,
    asked,
    answered,
    expired,
    refused,
    evicted,
    pending,
    lost,
    exits,
    meanMacs,
    applied,
    gaps,
    resets,
    ignored,
    anomalies,
    withheld,
    ...(anomaliesByKind === undefined
      ? {}
      : {
          duplicateAnswers: anomaliesByKind.duplicateAnswers,
          lateAnswers: anomaliesByKind.lateAnswers,
          malformedAnswers: anomaliesByKind.malformedAnswers,
          unknownAnswers: anomaliesByKind.unknownAnswers,
        }),
    ...(counters.suspicions && { suspicions: counters.suspicions }),
    ...(truth.decisions === 0 ? {} : { truth }),
  };
}

/** The summary for people. */
export function saySummary(out: Output, summary: Summary, isAsking: boolean): void {
  const { decisions, seconds, events, asked, answered, expired, refused, evicted, pending, lost, exits } = summary;
  out.say();
  out.say(
    `${countText(decisions, "decision")} in ${Math.round(seconds)} s of ${summary.agent}, ${countText(events, "change")} of label shown.`,
  );
  out.say(`Stopped at exit ${exits.map((count, exit) => `${exit + 1}: ${percentText(count / Math.max(1, decisions))}`).join(", ")}.`);
  const alarms = summary.truth?.alarms;
  if (alarms !== undefined) out.say(alarmSentence(alarms, isAsking));
  if (summary.withheld > 0) out.say(`${countText(summary.withheld, "decision")} withheld: the sensor was implausible.`);
  if (!isAsking) return;
  const ends = [
    `${answered} answered`,
    `${expired} expired`,
    `${refused} refused`,
    `${evicted} evicted`,
    `${pending} waiting`,
    `${lost} lost`,
  ];
  out.say(`Asked the cloud ${countText(asked, "time")}: ${ends.join(", ")}.`);
  const { suspicions } = summary;
  if (suspicions !== undefined) {
    const { raised, told, dismissed, expired } = suspicions;
    const without = expired === 0 ? "" : `, ${expired} decided by the device alone`;
    out.say(`Suspected ${countText(raised, "alarm")}: ${told} told, ${dismissed} dismissed by the cloud${without}.`);
  }
  const { personalization } = summary;
  if (personalization === undefined) return;
  const { learned, decided } = personalization;
  out.say(`Adapted to this user: learned ${countText(learned, "window")}, changed ${countText(decided, "decision")}.`);
}

/** The alarms against the truth: Of 3 falls 3 were told with the cloud, 2 without it; false alarms: 0 with it, 4 without it. */
function alarmSentence({ label, shown, device }: AlarmTallies, isAsking: boolean): string {
  const falls = `Of ${countText(shown.events, label)}`;
  if (!isAsking) return `${falls} ${device.found} were told; false alarms: ${device.falseAlarms}.`;
  return `${falls} ${shown.found} were told with the cloud, ${device.found} without it; false alarms: ${shown.falseAlarms} with it, ${device.falseAlarms} without it.`;
}
