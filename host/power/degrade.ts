import { LIMIT_PATCHES } from "../../assembly/layout.ts";
import type { ModelImage } from "../core/image/image-types.ts";
import type { SetPoint } from "../core/session/session-types.ts";

/** Degradation levels in order; each includes the reductions of those before. */
export const degradeLevels = ["full", "ask-less", "shallower", "longer-hop", "sense-only"] as const;
export type DegradeLevel = 0 | 1 | 2 | 3 | 4;
export const SENSE_ONLY: DegradeLevel = 4;
/** The deepest level at which the agent still decides; heat alone goes no further. */
export const DEEPEST_WORKING: DegradeLevel = 3;

/** An agent's default set-point as changed by a level. */
export interface Degraded extends Pick<SetPoint, "maxExit" | "hopPatches" | "askIntervalHops"> {
  /** Least ratio of an ask's value to its price. */
  readonly askPriceFactor: number;
  /** False: frames are not passed to the model. */
  readonly isDeciding: boolean;
}

const ASK_PRICE_FACTORS = [1, 4, 16, 16, 16] as const;
const ASK_INTERVAL_FACTORS = [1, 4, 8, 8, 8] as const;
const HOP_FACTORS = [1, 1, 1, 2, 2] as const;
const LONGEST_INTERVAL_HOPS = 65_535;

/** The set-point of a level. From level to level it asks no more, goes no deeper and decides no more often. */
export function degraded(image: Pick<ModelImage, "exits" | "hopPatches">, level: DegradeLevel, askIntervalHops: number): Degraded {
  const last = image.exits.length - 1;
  return {
    askPriceFactor: ASK_PRICE_FACTORS[level],
    askIntervalHops: Math.min(LONGEST_INTERVAL_HOPS, askIntervalHops * ASK_INTERVAL_FACTORS[level]),
    maxExit: level >= 2 ? Math.min(last, firstAnsweringExit(image)) : last,
    hopPatches: Math.min(LIMIT_PATCHES, image.hopPatches * HOP_FACTORS[level]),
    isDeciding: level !== SENSE_ONLY,
  };
}

/** The first certified exit; the last exit if none is. */
export function firstAnsweringExit({ exits }: Pick<ModelImage, "exits">): number {
  const first = exits.findIndex(({ threshold }) => threshold <= 32768);
  return first < 0 ? exits.length - 1 : first;
}
