import { readFileSync } from "node:fs";
import { z } from "zod";
import { windowOps } from "../../core/image/op-count.ts";
import type { Model } from "../../core/session/model.ts";
import { checked } from "../../core/system/checked.ts";
import { ConfigError } from "../../core/system/errors.ts";
import type { DriftOptions } from "./drift-monitor.ts";
import type { CostTable, Prices } from "./expected-cost.ts";

const share = z.number().min(0).max(1);
const joules = z.number().min(0);
/** A difference of two shares. Absent in files of earlier versions: then the default takes no exit away and asks nothing. */
const difference = z.number().min(-1).max(1);
const row = z.strictObject({ unsure: share, wrong: share, wrongUnsure: share, macs: z.number().min(0), mostLoss: difference.default(1) });

/** An agent's policy.json: how its decisions turn out, and what they are worth to it. */
export const policySchema = z.strictObject({
  imageHash: z.string().describe("Of the image that it was tuned with; another one needs another."),
  tunedOn: z.array(z.string()).describe("Wearers, none of them scored."),
  decisions: z.int().min(0),
  table: z.strictObject({
    sure: z.array(row).max(8),
    unsure: z.array(row).max(8),
    asked: z.strictObject({
      decisions: z.int().min(0),
      wrongBefore: z.int().min(0),
      wrongAfter: z.int().min(0),
      leastGain: difference.default(-1),
    }),
  }),
  usualDisagreement: z.array(share).max(64),
  prices: z.strictObject({
    wrongJoules: joules,
    deferredJoules: joules,
    latencyJoulesPerSecond: joules,
    privacyJoulesPerByte: joules,
  }),
});

export type PolicyFile = Readonly<z.output<typeof policySchema>>;

/** What a wrong label, a missing answer, a second of waiting and a byte of sensor data are worth, unless the agent declares it. */
export const DEFAULT_PRICES: PolicyFile["prices"] = {
  wrongJoules: 0.01,
  deferredJoules: 0.001,
  latencyJoulesPerSecond: 0.001,
  privacyJoulesPerByte: 5e-7,
};

/** What an agent's policy was tuned to, and on whom. */
export interface TunedPolicy {
  readonly table: CostTable;
  readonly prices: Prices;
  readonly drift: DriftOptions;
}

/** Reads an agent's policy.json. Throws POLICY_INVALID, or POLICY_OTHER_IMAGE where it was tuned with another image. */
export function readPolicy(path: string, imageHash: string): TunedPolicy {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError("POLICY_INVALID", `cannot read ${path}: ${String(cause)}. Make it again with dormouse simulate <agent> --tune.`, {
      cause,
    });
  }
  const file = checked(policySchema, renameOldKeys(value), "POLICY_INVALID", path, "Make it again with dormouse simulate <agent> --tune.");
  if (file.imageHash !== imageHash) {
    throw new ConfigError(
      "POLICY_OTHER_IMAGE",
      `${path} was tuned with image ${file.imageHash.slice(0, 12)}, the model is ${imageHash.slice(0, 12)}. Tune it again with dormouse simulate <agent> --tune.`,
    );
  }
  return { table: file.table, prices: file.prices, drift: { usualDisagreement: file.usualDisagreement } };
}

/** A policy.json tuned before the keys `unsure` and `usualDisagreement` had these names. */
function renameOldKeys(value: unknown): unknown {
  const old = value as { table?: { doubt?: unknown }; usualDoubt?: unknown } | null;
  if (old?.usualDoubt === undefined || old.table?.doubt === undefined) return value;
  const { usualDoubt, table, ...rest } = old;
  const { doubt, ...other } = table;
  return { ...rest, table: { ...other, unsure: doubt }, usualDisagreement: usualDoubt };
}

/** Without a policy.json: exits as certified in the image; the last exit decides everything uncertain. */
export function policyFromCertificate(model: Model): TunedPolicy {
  const { calibration, guarantee } = model.manifest;
  const alpha = guarantee?.alpha ?? 0.02;
  const { windowPatches, hopPatches } = model.image;
  let answered = 0;
  const rows = model.image.exits.map((_, k) => {
    answered = Math.min(1, answered + (calibration[k]?.coverage ?? 0));
    const unsure = 1 - answered;
    const macs = (windowOps(model.image, k).macs * hopPatches) / windowPatches;
    return { unsure, wrong: answered * alpha + unsure * 0.2, wrongUnsure: 0.2, macs, mostLoss: 1 };
  });
  const table: CostTable = { sure: rows, unsure: rows, asked: { decisions: 0, wrongBefore: 0, wrongAfter: 0, leastGain: -1 } };
  return askWhenUnsure({ table, prices: DEFAULT_PRICES, drift: { usualDisagreement: model.manifest.labels.map(() => 0.2) } });
}

/** The policy with asks about every unsure decision, as without a governor, whatever asking was measured to gain. */
export function askWhenUnsure(policy: TunedPolicy): TunedPolicy {
  const { table, prices } = policy;
  return { ...policy, table: { ...table, asked: { ...table.asked, decisions: 0 } }, prices: { ...prices, deferredJoules: 1 } };
}
