import * as layout from "../../../assembly/layout.ts";
import { imageError } from "./image-header.ts";
import type { PlausibilityRecord } from "./image-records.ts";
import type { Plausibility } from "./image-types.ts";

// The rules of the plausibility monitor between their record and their type: a table of words, and the weights of all in one array.

/** Throws BAD_PLAUSIBILITY unless the rules take all the weights that there are, and no more. */
export function readRules({ nRules, table, weights }: PlausibilityRecord): Plausibility {
  let at = 0;
  const rules = Array.from({ length: nRules }, (_, r) => {
    const word = (index: number): number => table[r * layout.RULE_WORDS + index]!;
    const count = word(layout.RULE_COUNT);
    if (count < 1 || at + count > weights.length)
      throw imageError(layout.STATUS_BAD_PLAUSIBILITY, `rule ${r} takes ${count} weights, ${weights.length - at} are left`);
    at += count;
    return {
      fault: word(layout.RULE_FAULT),
      mode: word(layout.RULE_MODE),
      on: word(layout.RULE_ON),
      bias: word(layout.RULE_BIAS),
      first: word(layout.RULE_FIRST),
      weights: weights.slice(at - count, at),
    };
  });
  if (at < weights.length) throw imageError(layout.STATUS_BAD_PLAUSIBILITY, `its rules take ${at} of ${weights.length} weights`);
  return { rules };
}

/** The record of some rules. */
export function rulesRecord({ rules }: Plausibility): PlausibilityRecord {
  const table = new Int32Array(rules.length * layout.RULE_WORDS);
  for (const [r, rule] of rules.entries()) {
    const words = table.subarray(r * layout.RULE_WORDS);
    words[layout.RULE_FAULT] = rule.fault;
    words[layout.RULE_MODE] = rule.mode;
    words[layout.RULE_ON] = rule.on;
    words[layout.RULE_BIAS] = rule.bias;
    words[layout.RULE_FIRST] = rule.first;
    words[layout.RULE_COUNT] = rule.weights.length;
  }
  const weights = Int16Array.from(rules.flatMap((rule) => [...rule.weights]));
  return { nRules: rules.length, nWeights: weights.length, table, weights };
}
