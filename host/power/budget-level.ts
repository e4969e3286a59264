import type { Budget } from "./budget.ts";
import type { DegradeLevel } from "./degrade.ts";

/** Fill below which each level begins; the last one begins when nothing is left. */
const BELOW = [1, 0.5, 0.3, 0.15, 0] as const;
/** Fill beyond that before the level ends again. */
const HYSTERESIS = 0.1;
/** Fill at which sense-only ends. Hysteresis: a single joule must not toggle it. */
const RESUME = 0.05;

/** Degradation level by the fill of the bucket: one level at a time, in the declared order, with hysteresis. */
export function createBudgetGovernor(budget: Pick<Budget, "fill" | "isOpen">) {
  let level: DegradeLevel = 0;
  return {
    judge(): DegradeLevel {
      if (!budget.isOpen) level = 4;
      const { fill } = budget;
      while (level < 3 && fill < BELOW[level + 1]!) level = (level + 1) as DegradeLevel;
      while (level > 0 && fill > (level === 4 ? RESUME : BELOW[level]! + HYSTERESIS)) level = (level - 1) as DegradeLevel;
      return level;
    },
  };
}
