import { sumDocuments } from "../../host/cli/common/cloud-workers.ts";
import { startDormouse } from "../../host/cli/common/worker-processes.ts";
import { ConfigError } from "../../host/core/system/errors.ts";
import { urlText } from "../../host/core/system/secrets.ts";
import type { CliIo } from "../../host/core/system/surroundings.ts";
import { untilAborted } from "../../host/core/system/until-aborted.ts";
import type { BrokerOptions } from "../../host/mqtt/transport/broker-url.ts";
import { credentialsEnvironment } from "../../host/security/broker-credentials.ts";

/** How long a worker may take to load its images and subscribe. */
const READY_MILLIS = 60_000;

export interface BenchWorkers {
  readonly pids: readonly number[];
  /** Ends them in order and returns the sum of what they report. */
  stop(): Promise<Record<string, number>>;
}

export interface BenchWorkerOptions {
  readonly broker: BrokerOptions;
  readonly agent: string;
  readonly workers: number;
  readonly ledgerPath: string;
  readonly onNote: (line: string) => void;
}

/** Starts real `dormouse cloud` processes with the agent's real teacher, and waits until they answer, or the user interrupts. */
export async function startBenchWorkers(io: CliIo, options: BenchWorkerOptions): Promise<BenchWorkers> {
  const documents: unknown[] = [];
  const { workers, broker, agent, ledgerPath } = options;
  const interrupted = untilAborted(io.interrupt);
  const running = Array.from({ length: workers }, (_, index) => {
    let onReady = () => {};
    let onEnd = (_reason: string) => {};
    const ready = new Promise<void>((resolve, reject) => {
      onReady = resolve;
      onEnd = (reason) =>
        reject(
          new ConfigError(
            "BENCH_WORKER",
            `worker ${index} ${reason} before it answered. Try: dormouse cloud --broker ${urlText(broker.url)}`,
          ),
        );
    });
    ready.catch(() => {}); // waited for below
    let isOver = () => {};
    const over = new Promise<void>((resolve) => {
      isOver = resolve;
    });
    const child = startDormouse(
      ["cloud", "--json", "--broker", broker.url, "--agent", agent, "--worker", `${index}/${workers}`, "--ledger", ledgerPath],
      {
        onDocument: (document) => documents.push(document),
        onNote(line) {
          if (line.includes("reached: answering")) onReady();
          options.onNote(`worker ${index}: ${line}`);
        },
        onExit(reason) {
          onEnd(reason);
          isOver();
        },
      },
      { ...io.env, ...credentialsEnvironment(broker) },
    );
    return { child, ready, over };
  });
  let cancel = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    cancel = io.clock.after(READY_MILLIS, () =>
      reject(
        new ConfigError(
          "BENCH_WORKERS_LATE",
          `the workers did not reach ${urlText(broker.url)} within ${READY_MILLIS / 1000} s. Is a broker there?`,
        ),
      ),
    );
  });
  const stop = async () => {
    for (const { child } of running) child.stop(false);
    await Promise.all(running.map(({ over }) => over));
    return sumDocuments(documents);
  };
  try {
    await Promise.race([Promise.all(running.map(({ ready }) => ready)), tooLate, interrupted]);
  } catch (error) {
    for (const { child } of running) child.stop(true);
    throw error;
  } finally {
    cancel();
  }
  return { pids: running.flatMap(({ child }) => child.pid ?? []), stop };
}
