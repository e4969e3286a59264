/** Nodes whose use is remembered; of more, the one that asked least lately is forgotten. */
const MAX_NODES = 4096;

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

/**
 * Counts tokens and their price, reserves for what is under way, and reports when it is used up. One node may use no more than it
 * leaves (a dynamic threshold, Choudhury and Hahne 1998): the first half of all at most, and whoever comes later finds something.
 */
export interface Budget {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number;
  spent(): Spent;
  /** Sets tokens aside for a request; otherwise returns which budget they would exceed: the worker's, or the node's share of it. */
  reserve(node: string, most: Usage): "ok" | "all" | "share";
  /** The request is over, and used this. */
  settle(node: string, most: Usage, used: Usage): void;
}

const NOTHING: Usage = { promptTokens: 0, completionTokens: 0 };
const tokensOf = ({ promptTokens, completionTokens }: Usage): number => promptTokens + completionTokens;

export function createBudget(limits: BudgetLimits): Budget {
  const {
    maxTokens = Number.POSITIVE_INFINITY,
    maxCost = Number.POSITIVE_INFINITY,
    pricePerMillion = { prompt: 0, completion: 0 },
  } = limits;
  let used = NOTHING;
  let reserved = NOTHING;
  const costOf = (usage: Usage) =>
    (usage.promptTokens * pricePerMillion.prompt + usage.completionTokens * pricePerMillion.completion) / 1e6;
  const sum = (a: Usage, b: Usage, sign = 1): Usage => ({
    promptTokens: a.promptTokens + sign * b.promptTokens,
    completionTokens: a.completionTokens + sign * b.completionTokens,
  });
  const byNode = new Map<string, Usage>(); // used and reserved, least lately first
  const count = (node: string, own: Usage) => {
    byNode.delete(node);
    byNode.set(node, own);
    if (byNode.size > MAX_NODES) byNode.delete(byNode.keys().next().value!);
  };
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
      return { tokens: tokensOf(all), cost: costOf(all) };
    },
    reserve(node, most) {
      const would = sum(sum(used, reserved), most);
      const own = sum(byNode.get(node) ?? NOTHING, most);
      if (tokensOf(would) > maxTokens || costOf(would) > maxCost) return "all";
      if (tokensOf(own) > maxTokens - tokensOf(would) || costOf(own) > maxCost - costOf(would)) return "share";
      reserved = sum(reserved, most);
      count(node, own);
      return "ok";
    },
    settle(node, most, really) {
      reserved = sum(reserved, most, -1);
      used = sum(used, really);
      count(node, sum(sum(byNode.get(node) ?? most, most, -1), really));
    },
  };
}
