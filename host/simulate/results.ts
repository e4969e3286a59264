import type { AlarmTally } from "../agent/alarm-tally.ts";
import type { LoopCounters } from "../agent/loop-types.ts";
import type { Cluster } from "../policy/certify/bootstrap.ts";
import type { DegradeLevel } from "../power/degrade.ts";
import type { EnergyParts } from "../power/energy.ts";

/** A minute of a day, for the pictures. */
export interface MinuteRow {
  readonly atSeconds: number; // its end
  readonly decisions: number;
  readonly asks: number;
  readonly notAsked: number; // unsure, but an answer was in force or pending, or an ask was not allowed or not worth its price
  readonly audits: number; // asks about sure decisions, to monitor the guarantee
  readonly exits: readonly number[]; // decisions by exit
  readonly label: string | undefined; // shown last
  readonly truth: string | undefined;
  readonly joules: EnergyParts & { readonly load: number }; // since the start of the day
  readonly stateOfCharge: number;
  readonly skinCelsius: number;
  readonly ambientCelsius: number;
  readonly budgetFill: number;
  readonly level: DegradeLevel;
  readonly duty: number;
  readonly isUp: boolean;
  readonly isAllowanceSpent: boolean; // the rest of the day's allowance is for audits only
}

/** Results of a governed day. */
export interface GovernedDay {
  readonly decisions: number;
  readonly scored: number; // decisions whose truth is known and a label of the model
  readonly accuracy: number; // of the label that was shown in the end
  readonly modelAccuracy: number; // of the model's own labels
  readonly counters: LoopCounters;
  readonly audits: number;
  readonly lost: number;
  readonly joules: EnergyParts & { readonly load: number };
  readonly meanWatts: number; // until the battery was empty
  readonly aliveSeconds: number; // until the battery was empty; the whole day if it never was
  readonly decisionSeconds: readonly number[]; // from the hop's end to its label: compute, and the answer if asked
  readonly answeredInDeadline: number; // answered under the guarantee, here or by the cloud in time
  readonly skinMaxCelsius: number;
  readonly stateOfCharge: number;
  readonly budgetJoules: number;
  readonly overspendJoules: number;
  readonly degradeChanges: number;
  readonly restedShare: number;
  readonly arenaBytes: number;
  readonly maxOutboxBytes: number;
  readonly alarms: number; // raised
  readonly alarmTally?: AlarmTally; // of an agent with an alarm
  readonly rawBytes: number; // of sensor data that left the device
  readonly radio: { readonly messagesUp: number; readonly bytesUp: number; readonly resends: number };
  readonly drift: {
    readonly answers: number;
    readonly meanDisagreement: number;
    readonly byLabel: readonly { readonly answers: number; readonly meanDisagreement: number }[];
    readonly marks: readonly { readonly step: number; readonly atSeconds: number; readonly answers: number }[];
    readonly byStep: readonly { readonly answered: number; readonly wrong: number }[];
    readonly noticedWithin: readonly { readonly growth: number; readonly answers: number }[]; // doubts that have grown so many times
  };
  /** Decisions that were answered here, by wearer: `sum` wrong of `weight`. */
  readonly answeredHere: readonly (Cluster & { readonly wearer: string })[];
  readonly rows: readonly MinuteRow[];
}

/** A baseline's day. */
export interface BaselineDay {
  readonly decisions: number;
  readonly accuracy: number;
  readonly joules: EnergyParts;
  readonly decisionSeconds: readonly number[];
  readonly answeredInDeadline: number;
  readonly alarmTally?: AlarmTally; // of an agent with an alarm
}

/** The value below which a share of the values lies (nearest rank); NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}
