import type { Output } from "../../host/core/system/output.ts";
import { createBattery, selfDischargeWatts } from "../../host/power/battery.ts";
import { type RadioKind, radioKinds } from "../../host/power/board-power.ts";
import { neverAskingDays } from "../../host/simulate/baselines.ts";
import { governedDay } from "../../host/simulate/governed-day.ts";
import { openDay } from "../../host/simulate/open-day.ts";
import type { BaselineDay, GovernedDay } from "../../host/simulate/results.ts";
import { batteryLifeHours } from "../../host/simulate/summary.ts";
import { type Verdict, verdictOn } from "../../host/simulate/verdict.ts";

export interface DaysRequest {
  readonly agent: string;
  readonly board: string;
  readonly radio?: RadioKind; // default: each
  readonly hours: number;
  readonly seed: number;
  /** Recordings, of which the day of the calibrate wearers is made. Default: the synthetic wearer. */
  readonly data?: string;
  readonly reportSeconds?: number;
}

/** A simulated day of `activity`, or of another agent, against the baselines that never ask and tell the same. */
export interface DayRow extends Verdict {
  readonly source: string;
  readonly radio: string;
  readonly governed: Scored & { readonly modelAccuracy: number; readonly asked: number; readonly audits: number; readonly lost: number };
  readonly fullDepth: Scored;
  readonly alwaysLocal: Scored;
}

interface Scored {
  readonly accuracy: number; // of the shown label
  readonly joules: number; // of the whole device
  readonly radioJoules: number;
  readonly batteryLifeHours: number;
}

/** Simulates the day over each radio. */
export async function benchDays(cwd: string, out: Output, request: DaysRequest): Promise<DayRow[]> {
  const { agent, board, hours, seed, data, reportSeconds } = request;
  const rows: DayRow[] = [];
  const source = data === undefined ? "synthetic" : "calibrate";
  for (const radio of request.radio === undefined ? radioKinds : [request.radio]) {
    out.note(`${hours} h of ${source} over ${radio} …`);
    const setting = await openDay(
      agent,
      {
        ...{ board, radio, hours, seed, wearers: "calibrate", ambient: 22, battery: 100, targetHours: 168, engine: "simd" },
        ...(data === undefined ? {} : { data }),
        ...(reportSeconds === undefined ? {} : { reportSeconds }),
      },
      cwd,
      out,
    );
    const battery = setting.board.battery;
    const life = (watts: number): number => batteryLifeHours(createBattery(battery).capacityJoules, watts, selfDischargeWatts(battery));
    const score = ({ accuracy, joules }: Pick<GovernedDay | BaselineDay, "accuracy" | "joules">): Scored => {
      const all = Object.values(joules).reduce((a, b) => a + b, 0);
      return { accuracy, joules: all, radioJoules: joules.radio, batteryLifeHours: life(all / (hours * 3600)) };
    };
    const day = await governedDay(setting);
    const never = await neverAskingDays(setting);
    const [governed, fullDepth, alwaysLocal] = [score(day), score(never.fullDepth), score(never.alwaysLocal)];
    const { modelAccuracy, counters, audits, lost } = day;
    rows.push({
      ...{ source, radio, fullDepth, alwaysLocal },
      governed: { ...governed, modelAccuracy, asked: counters.asked, audits, lost },
      ...verdictOn(governed, { fullDepth, alwaysLocal }),
    });
  }
  return rows;
}
