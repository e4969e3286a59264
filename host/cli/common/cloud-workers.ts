import type { Spent } from "../../cloud/openai/budget.ts";
import { superviseWorkers } from "../../cloud/supervisor.ts";
import type { Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { untilAborted } from "../../core/system/until-aborted.ts";
import { systemRandom } from "../../mqtt/transport/backoff.ts";
import { type ProcessEvents, startDormouse } from "./worker-processes.ts";

/**
 * Runs `count` workers in separate processes until interrupted. A worker that ends is restarted; `argsOf` gets the spending of its
 * earlier processes. Returns the reports, the restarts, and the workers that did not stop cleanly.
 */
export async function runWorkers(io: CliIo, out: Output, count: number, argsOf: (index: number, spent: Spent) => readonly string[]) {
  const interrupted = untilAborted(io.interrupt);
  const documents: unknown[] = [];
  const failures: string[] = [];
  let isEnding = false;
  const spent = Array.from({ length: count }, () => NOTHING_SPENT);
  const supervisor = superviseWorkers({
    count,
    clock: io.clock,
    random: systemRandom,
    start(index, onExit) {
      const before = spent[index]!;
      const events: ProcessEvents = {
        onDocument: (document) => documents.push(document),
        onReport(message) {
          if (isSpent(message)) spent[index] = { tokens: before.tokens + message.tokens, cost: before.cost + message.cost };
        },
        onNote: (line) => out.note(`worker ${index}: ${line}`),
        onExit(reason, isFailure) {
          if (isEnding && isFailure) failures.push(`worker ${index} ${reason}.`);
          onExit(reason);
        },
      };
      return startDormouse(argsOf(index, before), events, io.env);
    },
    onRestart: (index, reason, waitMillis) => out.note(`worker ${index} ${reason}; started again in ${Math.round(waitMillis)} ms.`),
  });
  await interrupted;
  isEnding = true;
  await supervisor.stop();
  return { documents, restarts: supervisor.restarts, failures };
}

const NOTHING_SPENT: Spent = { tokens: 0, cost: 0 };

function isSpent(message: unknown): message is Spent {
  const { tokens, cost } = (message ?? {}) as Partial<Spent>;
  return Number.isFinite(tokens) && Number.isFinite(cost);
}

/** The sum of every number that the workers report; the rest is the same for all. */
export function sumDocuments(documents: readonly unknown[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const document of documents) {
    for (const [key, value] of Object.entries((document ?? {}) as Record<string, unknown>)) {
      if (typeof value !== "number") continue;
      sum[key] = key === "largestBatch" || key === "askMillis" ? Math.max(sum[key] ?? 0, value) : (sum[key] ?? 0) + value;
    }
  }
  return sum;
}
