/** What requests may use in the life of a worker. */
export interface BudgetLimits {
  readonly maxTokens?: number;
  readonly maxCost?: number; // in the currency of the prices
  readonly pricePerMillion?: { readonly prompt: number; readonly completion: number };
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Used by requests; those under way count with the most that they may use. */
export interface Spent {
  readonly tokens: number;
  readonly cost: number;
}

/** Counts tokens and their price, reserves for what is under way, and says when there is no more. */
export interface Budget {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number;
  spent(): Spent;
  /** Sets tokens aside for a request; false: they would be beyond the budget. */
  reserve(most: Usage): boolean;
  /** The request is over, and used this. */
  settle(most: Usage, used: Usage): void;
}

export function createBudget(limits: BudgetLimits): Budget {
  const {
    maxTokens = Number.POSITIVE_INFINITY,
    maxCost = Number.POSITIVE_INFINITY,
    pricePerMillion = { prompt: 0, completion: 0 },
  } = limits;
  let used: Usage = { promptTokens: 0, completionTokens: 0 };
  let reserved: Usage = { promptTokens: 0, completionTokens: 0 };
  const costOf = (usage: Usage) =>
    (usage.promptTokens * pricePerMillion.prompt + usage.completionTokens * pricePerMillion.completion) / 1e6;
  const sum = (a: Usage, b: Usage, sign = 1): Usage => ({
    promptTokens: a.promptTokens + sign * b.promptTokens,
    completionTokens: a.completionTokens + sign * b.completionTokens,
  });
  return {
    get promptTokens() {
      return used.promptTokens;
    },
    get completionTokens() {
      return used.completionTokens;
    },
    get cost() {
      return costOf(used);
    },
    spent() {
      const all = sum(used, reserved);
      return { tokens: all.promptTokens + all.completionTokens, cost: costOf(all) };
    },
    reserve(most) {
      const would = sum(sum(used, reserved), most);
      if (would.promptTokens + would.completionTokens > maxTokens || costOf(would) > maxCost) return false;
      reserved = sum(reserved, most);
      return true;
    },
    settle(most, really) {
      reserved = sum(reserved, most, -1);
      used = sum(used, really);
    },
  };
}
