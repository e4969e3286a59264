import { type Clock, systemClock } from "../core/clock.ts";
import { ConfigError, type DormouseError, MqttError } from "../core/errors.ts";
import { type Backoff, type RandomBytes, systemRandom } from "../mqtt/backoff.ts";
import type { BrokerOptions } from "../mqtt/broker-url.ts";
import { createConnection, type IncomingMessage } from "../mqtt/connection.ts";
import { createLedger, type LedgerSink } from "../mqtt/ledger.ts";
import { encodePayload, SCHEMA_VERSION } from "../mqtt/payloads.ts";
import { askFilter } from "../mqtt/topics.ts";
import type { LinkState } from "../mqtt/types.ts";
import { createAnswerCache } from "./answer-cache.ts";
import { checkAsk, type ReplyTo } from "./ask-check.ts";
import { createAskQueue, type QueuedAsk } from "./ask-queue.ts";
import type { CloudAnswer, Provider } from "./provider.ts";

/** QoS 1 messages that the broker may have under way to a worker. */
const RECEIVE_MAXIMUM = 512;
/** How long close() goes on answering what it has admitted. */
const DRAIN_MILLIS = 10_000;

export type CloudState = "received" | "answered" | "refused" | "expired";

export interface WorkerOptions {
  readonly broker: BrokerOptions;
  readonly provider: Provider;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
  /** Worker i of N, where the broker has no shared subscriptions. Default 0 of 1. */
  readonly workerIndex?: number;
  readonly workerCount?: number;
  /** The worker takes it over and closes it. */
  readonly ledgerSink?: LedgerSink;
  readonly onLinkState?: (state: LinkState, detail?: string) => void;
  readonly onAnomaly?: (error: DormouseError) => void;
  /** Default `cloud-` and 16 random hex digits. */
  readonly clientId?: string;
  /** Asks that may wait, default 512; one more is refused with a time to come back. */
  readonly queueLimit?: number;
  /** Asks in one call of the provider, default 32, after waiting for company for at most `batchDelayMillis`, default 2. */
  readonly batchLimit?: number;
  readonly batchDelayMillis?: number;
  /** Answers remembered for repeated asks, default 4096; ids in the ledger, default 65536. */
  readonly cacheEntries?: number;
  readonly ledgerEntries?: number;
  /** When to come back after a refusal for want of room or a provider's failure, default 1000. */
  readonly retryAfterMillis?: number;
  /** A provider that takes longer has failed, default 60000. */
  readonly providerTimeoutMillis?: number;
  readonly keepAliveSeconds?: number;
  readonly backoff?: Backoff;
}

export interface WorkerStats {
  readonly received: number; // asks that were ours, repeats included
  readonly answered: number;
  readonly refused: number;
  readonly expired: number;
  readonly malformed: number;
  readonly duplicates: number; // repeats of an ask that is still in work
  readonly cacheHits: number; // repeats that got the answer they had
  readonly notMine: number; // another worker's, by hash
  readonly queued: number;
  readonly batches: number;
  readonly largestBatch: number;
  readonly providerErrors: number;
}

export interface Worker {
  readonly linkState: LinkState;
  readonly subscription: "none" | "shared" | "partitioned";
  /** Waits until it hears asks, at most `timeoutMillis`. */
  ready(timeoutMillis: number): Promise<boolean>;
  stats(): WorkerStats;
  ledger(): ReadonlyMap<string, CloudState>;
  /** Takes no more asks, answers those it has, and disconnects. */
  close(): Promise<void>;
}

/** Answers asks with a provider; stateless but for a best-effort cache. Example: `startWorker({ broker: { url }, provider: createTeacher({ members }) })`. */
export function startWorker(options: WorkerOptions): Worker {
  const { provider, clock = systemClock, random = systemRandom, workerIndex = 0, workerCount = 1 } = options;
  const { queueLimit = 512, batchLimit = 32, batchDelayMillis = 2, providerTimeoutMillis = 60_000, retryAfterMillis = 1000 } = options;
  if (!Number.isInteger(workerIndex) || !Number.isInteger(workerCount) || workerIndex < 0 || workerIndex >= workerCount) {
    throw new ConfigError(
      "WORKER_INDEX",
      `worker ${workerIndex} of ${workerCount} does not exist. Count workers from 0 to ${workerCount - 1}.`,
    );
  }
  const count = { received: 0, answered: 0, refused: 0, expired: 0, malformed: 0, duplicates: 0, cacheHits: 0, notMine: 0 };
  const work = { batches: 0, largestBatch: 0, providerErrors: 0 };
  const ledger = createLedger<CloudState>({
    entries: options.ledgerEntries ?? 65_536,
    isOpen: (state) => state === "received",
    wall: () => clock.wall(),
    sink: options.ledgerSink,
  });
  const cache = createAnswerCache<CloudAnswer>(options.cacheEntries ?? 4096);
  const queue = createAskQueue(queueLimit);
  const inWork = new Set<string>(); // keys queued or with the provider: at most queueLimit + batchLimit
  const whenIdle = new Set<() => void>();
  const whenReady = new Set<() => void>();
  let subscription: Worker["subscription"] = "none";
  let isBusy = false;
  let isClosing = false;

  const connection = createConnection({
    broker: options.broker,
    clientId: options.clientId ?? `cloud-${Buffer.from(random(8)).toString("hex")}`,
    clock,
    random,
    backoff: options.backoff ?? { firstMillis: 500, maxMillis: 30_000 },
    keepAliveSeconds: options.keepAliveSeconds ?? 60,
    cleanStart: true, // a session would hold asks for a worker that is gone
    sessionExpirySeconds: 0,
    receiveMaximum: RECEIVE_MAXIMUM,
    filters(offer) {
      subscription = offer.hasSharedSubscriptions ? "shared" : "partitioned";
      return [askFilter({ shared: offer.hasSharedSubscriptions })];
    },
    onMessage: receive,
    onState(state, detail) {
      if (state === "online") for (const resolve of whenReady) resolve();
      options.onLinkState?.(state, detail);
    },
  });

  const anomaly = (code: string, message: string) => options.onAnomaly?.(new MqttError(code, message));

  function receive(message: IncomingMessage): void {
    const checked = checkAsk(message, clock.now());
    const { to } = checked;
    if (subscription === "partitioned" && !isMine(to?.id, workerIndex, workerCount)) {
      count.notMine++;
      return;
    }
    if (!checked.ok) {
      count.malformed++;
      anomaly("ASK_MALFORMED", `an ask was ignored: ${checked.flaw}.`);
      if (to) void reply(to, { ok: false, reason: "malformed", detail: checked.flaw.slice(0, 256) });
      return;
    }
    const ask: QueuedAsk = { key: `${checked.to.node}/${checked.to.id}`, to: checked.to, query: checked.query };
    count.received++;
    const known = cache.get(ask.key);
    if (known) {
      count.cacheHits++;
      void reply(ask.to, known);
    } else if (inWork.has(ask.key)) count.duplicates++;
    else admit(ask);
  }

  function admit(ask: QueuedAsk): void {
    ledger.set(ask.to.id, ask.to.node, "received");
    if (isClosing || !queue.push(ask)) {
      const detail = isClosing ? "this worker is closing" : `${queueLimit} asks are waiting`;
      conclude(ask, { ok: false, reason: "busy", detail, retryAfterMillis });
      return;
    }
    inWork.add(ask.key);
    if (isBusy) return;
    isBusy = true;
    clock.after(batchDelayMillis, () => void run());
  }

  /** Batches as large as what came in while the one before was answered: they grow with the load. */
  async function run(): Promise<void> {
    for (;;) {
      const batch = queue.take(batchLimit, clock.now(), expire);
      if (batch.length === 0) break;
      work.batches++;
      work.largestBatch = Math.max(work.largestBatch, batch.length);
      const answers = await callProvider(batch);
      for (const [i, ask] of batch.entries()) {
        if (ask.query.deadlineAtMillis <= clock.now()) expire(ask);
        else conclude(ask, flawless(answers[i], ask));
      }
    }
    isBusy = false;
    for (const resolve of whenIdle) resolve();
  }

  async function callProvider(batch: readonly QueuedAsk[]): Promise<readonly CloudAnswer[]> {
    let cancel = () => {};
    const tooLate = new Promise<never>((_, reject) => {
      cancel = clock.after(providerTimeoutMillis, () => reject(new Error(`no answer within ${providerTimeoutMillis} ms`)));
    });
    try {
      return await Promise.race([provider.answer(batch.map((ask) => ask.query)), tooLate]);
    } catch (error) {
      work.providerErrors++;
      const detail = (error instanceof Error ? error.message : String(error)).slice(0, 200);
      anomaly("PROVIDER_FAILED", `provider ${provider.name} failed on ${batch.length} asks: ${detail}.`);
      return batch.map(() => ({ ok: false, reason: "provider", detail: `${provider.name} failed`, retryAfterMillis }));
    } finally {
      cancel();
    }
  }

  function expire(ask: QueuedAsk): void {
    inWork.delete(ask.key);
    count.expired++;
    ledger.set(ask.to.id, ask.to.node, "expired");
  }

  function conclude(ask: QueuedAsk, answer: CloudAnswer): void {
    inWork.delete(ask.key);
    const isFinal = answer.ok || answer.retryAfterMillis === undefined;
    if (isFinal) cache.set(ask.key, answer);
    const state = answer.ok ? "answered" : "refused";
    count[state]++;
    ledger.set(ask.to.id, ask.to.node, state);
    void reply(ask.to, answer);
  }

  /** A reply that does not arrive is not mourned: the asker asks again and finds it in the cache. */
  async function reply(to: ReplyTo, answer: CloudAnswer): Promise<void> {
    const head = { v: SCHEMA_VERSION, node: to.node, agent: to.agent, tick: to.tick, wallMillis: clock.wall() } as const;
    const { ok, ...rest } = answer;
    try {
      const payload = encodePayload({ ...head, kind: ok ? "answer" : "refusal", ...rest } as Parameters<typeof encodePayload>[0]);
      await connection.publish(to.topic, payload, { correlationData: Buffer.from(to.id, "hex") });
    } catch (error) {
      anomaly("ANSWER_INVALID", `the answer of ${provider.name} cannot be sent: ${(error as Error).message}`);
    }
  }

  connection.open();

  return {
    get linkState() {
      return connection.state;
    },
    get subscription() {
      return connection.state === "online" ? subscription : "none";
    },
    ready: (timeoutMillis) => until(whenReady, () => connection.state === "online", timeoutMillis),
    stats: () => ({ ...count, ...work, queued: queue.size }),
    ledger: () => ledger.map,
    async close() {
      if (isClosing) return;
      isClosing = true;
      await until(whenIdle, () => !isBusy, DRAIN_MILLIS);
      await connection.flush();
      await connection.close();
      await provider.close?.();
      options.ledgerSink?.close();
    },
  };

  function until(listeners: Set<() => void>, isSo: () => boolean, timeoutMillis: number): Promise<boolean> {
    if (isSo()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        listeners.delete(done);
        resolve(isSo());
      };
      const cancel = clock.after(timeoutMillis, done);
      listeners.add(done);
    });
  }
}

/** Without shared subscriptions every worker hears every ask; each takes those whose id hashes to it. */
export function isMine(id: string | undefined, workerIndex: number, workerCount: number): boolean {
  return (id === undefined ? 0 : Number.parseInt(id.slice(0, 8), 16)) % workerCount === workerIndex;
}

/** A provider's answer, unless it is none at all. */
function flawless(answer: CloudAnswer | undefined, ask: QueuedAsk): CloudAnswer {
  if (answer === undefined) return { ok: false, reason: "provider", detail: "the provider gave no answer" };
  if (!answer.ok) return { ...answer, reason: answer.reason.slice(0, 256), detail: answer.detail.slice(0, 256) };
  const isValid =
    Number.isInteger(answer.label) &&
    answer.label >= 0 &&
    answer.label < ask.query.labels.length &&
    answer.confidence >= 0 &&
    answer.confidence <= 1;
  return isValid
    ? { ...answer, model: answer.model.slice(0, 256) }
    : { ok: false, reason: "provider", detail: "the provider's answer is out of range" };
}
