import { expect } from "vitest";
import type { Provider } from "../../host/cloud/provider.ts";
import { startWorker, type Worker, type WorkerOptions } from "../../host/cloud/worker.ts";
import { systemClock } from "../../host/core/system/clock.ts";
import { type AskerOptions, createAsker } from "../../host/mqtt/asks/asker.ts";
import type { Asker } from "../../host/mqtt/asks/asker-types.ts";
import { systemRandom } from "../../host/mqtt/transport/backoff.ts";
import { createConnection } from "../../host/mqtt/transport/connection.ts";
import type { IncomingMessage } from "../../host/mqtt/transport/connection-options.ts";
import type { AskOutcome, TextOutcome } from "../../host/mqtt/wire/ask.ts";
import { echoProvider } from "./echo-provider.ts";
import { until } from "./until.ts";

const quick = { firstMillis: 20, maxMillis: 100 };

/** What a node of this suite was told. */
interface Seen {
  readonly outcomes: AskOutcome[];
  readonly texts: TextOutcome[];
  readonly anomalies: string[];
  readonly node: string;
}

export type OffloadNodes = ReturnType<typeof openOffloadNodes>;

/** Nodes, workers and bare clients at one broker, with short waits; `close` ends them in reverse order. */
export function openOffloadNodes(url: string) {
  let cleanups: (() => Promise<void>)[] = [];
  let nodes = 0;

  function asker(options: Partial<AskerOptions> = {}): Asker & Seen {
    const seen: Seen = { outcomes: [], texts: [], anomalies: [], node: options.node ?? `wrist-${nodes++}` };
    const made = createAsker({
      broker: { url },
      site: "lab",
      node: seen.node,
      backoff: quick,
      retry: { firstMillis: 300, maxMillis: 1000 },
      events: {
        onOutcome: (outcome) => seen.outcomes.push(outcome),
        onTextOutcome: (outcome) => seen.texts.push(outcome),
        onAnomaly: (error) => seen.anomalies.push(error.code),
      },
      ...options,
    });
    cleanups.push(() => made.close());
    return Object.assign(Object.create(made), seen) as Asker & Seen;
  }

  async function worker(provider: Provider = echoProvider(), options: Partial<WorkerOptions> = {}): Promise<Worker> {
    const made = startWorker({ broker: { url }, provider, backoff: quick, ...options });
    cleanups.push(() => made.close());
    expect(await made.ready(5000)).toBe(true);
    return made;
  }

  /** A bare client that says whatever a test wants, as any name. */
  async function client(filters: readonly string[], clientId = `bare-${nodes++}`) {
    const heard: IncomingMessage[] = [];
    const connection = createConnection({
      broker: { url },
      clientId,
      clock: systemClock,
      random: systemRandom,
      backoff: quick,
      keepAliveSeconds: 60,
      cleanStart: true,
      sessionExpirySeconds: 0,
      receiveMaximum: 100,
      filters: () => filters,
      onMessage: (message) => heard.push(message),
      onState: () => {},
    });
    cleanups.push(() => connection.close());
    connection.open();
    await until(() => connection.state === "online", "the bare client is online");
    return { heard, connection };
  }

  return {
    asker,
    worker,
    client,
    async close(): Promise<void> {
      for (const cleanup of cleanups.reverse()) await cleanup();
      cleanups = [];
    },
  };
}
