import { systemClock } from "../core/system/clock.ts";
import { closeAll } from "../core/system/close-all.ts";
import { ConfigError, MqttError } from "../core/system/errors.ts";
import { createRepeatLimit } from "../core/system/repeat-limit.ts";
import { createLedger } from "../mqtt/outbox/ledger.ts";
import { systemRandom } from "../mqtt/transport/backoff.ts";
import { createConnection } from "../mqtt/transport/connection.ts";
import type { IncomingMessage } from "../mqtt/transport/connection-options.ts";
import { encodePayload, type Payload, SCHEMA_VERSION } from "../mqtt/wire/payloads.ts";
import { askFilter, workerTopic } from "../mqtt/wire/topics.ts";
import { type Admission, admit, createServiceTime } from "./admission.ts";
import { createAnswerCache } from "./answer-cache.ts";
import { checkAsk, type ReplyTo, senderOf } from "./ask-check.ts";
import { createAskQueue, type QueuedAsk } from "./ask-queue.ts";
import { createBatcher } from "./batcher.ts";
import { createNodeAllowance } from "./node-allowance.ts";
import type { CloudAnswer, CloudTextAnswer } from "./provider.ts";
import type { CloudState, Worker, WorkerOptions } from "./worker-types.ts";

export type { Worker, WorkerOptions } from "./worker-types.ts";

/** QoS 1 messages that the broker may have under way to a worker. */
const RECEIVE_MAXIMUM = 512;
/** What takes a retained message back. */
const GONE = new Uint8Array();
/** An ask's rank counts no deadline nearer than this: who asks in a hurry gains nothing over who asked before. */
const DEADLINE_FLOOR_MILLIS = 1000;

/** Answers asks with a provider; stateless but for a best-effort cache. Example: `startWorker({ broker: { url }, provider: createTeacher({ members }) })`. */
export function startWorker(options: WorkerOptions): Worker {
  const { provider, clock = systemClock, random = systemRandom, workerIndex = 0, workerCount = 1 } = options;
  const { queueLimit = 512, retryAfterMillis = 1000, presence } = options;
  checkIndex(workerIndex, workerCount);
  const count = { received: 0, answered: 0, refused: 0, expired: 0, malformed: 0, duplicates: 0, cacheHits: 0, notMine: 0, unread: 0 };
  const turnedAway = { busy: 0, hopeless: 0 };
  let providerErrors = 0;
  const ledger = createLedger<CloudState>({
    entries: options.ledgerEntries ?? 8192,
    isOpen: (state) => state === "received",
    wall: () => clock.wall(),
    sink: options.ledgerSink,
  });
  const cache = createAnswerCache<CloudAnswer | CloudTextAnswer>(options.cacheEntries ?? 4096);
  const anomalies = createRepeatLimit(clock, (code, message) => options.onAnomaly?.(new MqttError(code, message)));
  const anomaly = anomalies.tell;
  const queue = createAskQueue(queueLimit);
  const allowance = createNodeAllowance(clock);
  const serviceTime = createServiceTime();
  const inWork = new Set<string>(); // keys queued or with the provider: at most queueLimit + batchLimit
  const whenReady = new Set<() => void>();
  let subscription: Worker["subscription"] = "none";
  let isClosing = false;

  const batcher = createBatcher({
    ...{ queue, provider, clock, serviceTime, retryAfterMillis },
    batchLimit: options.batchLimit ?? 32,
    batchDelayMillis: options.batchDelayMillis ?? 2,
    timeoutMillis: options.providerTimeoutMillis ?? 60_000,
    onAnswer: conclude,
    onExpired: expire,
    onFailure(asks, detail) {
      providerErrors++;
      anomaly("PROVIDER_FAILED", `provider ${provider.name} failed on ${asks} asks: ${detail}.`);
    },
  });

  const connection = (options.connect ?? createConnection)({
    broker: options.broker,
    clientId: options.clientId ?? `cloud-${Buffer.from(random(8)).toString("hex")}`,
    clock,
    random,
    backoff: options.backoff ?? { firstMillis: 500, maxMillis: 30_000 },
    keepAliveSeconds: options.keepAliveSeconds ?? 60,
    cleanStart: true, // a session would hold asks for a worker that is gone
    sessionExpirySeconds: 0,
    receiveMaximum: RECEIVE_MAXIMUM,
    hasTopicAliases: false, // each reply has another node's topic
    ...(presence && { will: () => ({ topic: workerTopic(presence.site, presence.name), payload: GONE, delaySeconds: 0 }) }),
    filters(offer) {
      subscription = offer.hasSharedSubscriptions ? "shared" : "partitioned";
      return [askFilter({ shared: offer.hasSharedSubscriptions, group: options.group })];
    },
    onMessage: receive,
    onAnomaly: anomaly,
    onState(state, detail) {
      if (state === "online") {
        for (const resolve of whenReady) resolve();
        if (presence !== undefined) sayPresent(presence);
      }
      options.onLinkState?.(state, detail);
    },
  });

  function sayPresent({ site, name, firmware }: NonNullable<WorkerOptions["presence"]>): void {
    const payload = encodePayload(
      { v: SCHEMA_VERSION, kind: "state", node: name, wallMillis: clock.wall(), state: "awake", firmware },
      "json",
    );
    void connection.publish(workerTopic(site, name), payload, { retain: true, priority: "state" });
  }

  function receive(message: IncomingMessage): void {
    const sender = senderOf(message.topic);
    if (sender !== undefined && allowance.isUsedUp(sender)) {
      count.unread++;
      anomaly("NODE_UNREAD", `asks of ${sender} go unread for now: too many came to nothing.`);
      return;
    }
    const checked = checkAsk(message, clock.now());
    const { to } = checked;
    if (subscription === "partitioned" && !isMine(to?.id, workerIndex, workerCount)) {
      count.notMine++;
      return;
    }
    if (!checked.ok) {
      count.malformed++;
      anomaly("ASK_MALFORMED", `an ask was ignored: ${checked.flaw}.`);
      if (!to) return;
      options.onTaken?.(to);
      allowance.use(to.topic);
      void reply(to, { ok: false, reason: "malformed", detail: checked.flaw.slice(0, 256) });
      return;
    }
    const { topic: node, id } = checked.to; // a node's answer topic: its site and name
    const dueAtMillis = Math.max(checked.query.deadlineAtMillis, clock.now() + DEADLINE_FLOOR_MILLIS);
    const ask: QueuedAsk = { key: `${node}/${id}`, node, to: checked.to, query: checked.query, dueAtMillis };
    count.received++;
    if (inWork.has(ask.key)) {
      count.duplicates++;
      allowance.use(node);
      return;
    }
    options.onTaken?.(ask.to);
    const known = cache.get(ask.key);
    if (known) {
      count.cacheHits++;
      allowance.use(node);
      void reply(ask.to, known);
    } else take(ask);
  }

  /** Queues an ask that can be answered in time; refuses the others at once. */
  function take(ask: QueuedAsk): void {
    ledger.set(ask.to.id, ask.to.node, "received");
    const admission = admissionOf(ask);
    const { ok, evicted } = admission.ok ? queue.push(ask) : { ok: false };
    if (evicted) turnAway(evicted, busy("asks of other nodes took its place in the queue"));
    if (ok) {
      inWork.add(ask.key);
      batcher.wake();
    } else turnAway(ask, admission.ok ? busy(`${queueLimit} asks are waiting`) : admission);
  }

  const busy = (detail: string) => ({ ok: false, reason: "busy", detail, retryAfterMillis }) as const;

  function turnAway(ask: QueuedAsk, why: Exclude<Admission, { ok: true }>): void {
    allowance.use(ask.node);
    turnedAway[why.reason === "busy" ? "busy" : "hopeless"]++;
    conclude(ask, why);
  }

  function admissionOf({ node, dueAtMillis, query: { deadlineAtMillis } }: QueuedAsk): Admission {
    if (isClosing) return busy("this worker is closing");
    const [spread = 0] = random(1);
    return admit({
      ...{ time: serviceTime, ahead: queue.aheadOf(node, dueAtMillis), leftMillis: deadlineAtMillis - clock.now() },
      ...{ maxWaitMillis: options.maxWaitMillis ?? 2000, retryAfterMillis, spread: spread / 256 },
    });
  }

  function expire(ask: QueuedAsk): void {
    inWork.delete(ask.key);
    count.expired++;
    ledger.set(ask.to.id, ask.to.node, "expired");
    options.onDropped?.(ask.to, "expired");
  }

  function conclude(ask: QueuedAsk, answer: CloudAnswer | CloudTextAnswer): void {
    inWork.delete(ask.key);
    const isFinal = answer.ok || answer.retryAfterMillis === undefined;
    if (isFinal) cache.set(ask.key, answer);
    const state = answer.ok ? "answered" : "refused";
    count[state]++;
    ledger.set(ask.to.id, ask.to.node, state);
    void reply(ask.to, answer);
  }

  /** Replies are not retried; the device resends and hits the answer cache. */
  async function reply(to: ReplyTo, answer: CloudAnswer | CloudTextAnswer): Promise<void> {
    try {
      await connection.publish(to.topic, encodePayload(payloadOf(to, clock.wall(), answer)), {
        correlationData: Buffer.from(to.id, "hex"),
      });
    } catch (error) {
      anomaly("ANSWER_INVALID", `the answer of ${provider.name} cannot be sent: ${(error as Error).message}`);
      options.onDropped?.(to, "invalid");
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
    ready(timeoutMillis) {
      if (connection.state === "online") return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = () => {
          cancel();
          whenReady.delete(done);
          resolve(connection.state === "online");
        };
        const cancel = clock.after(timeoutMillis, done);
        whenReady.add(done);
      });
    },
    stats() {
      const { batches, largestBatch } = batcher;
      const askMillis = Math.round(serviceTime.askMillis * 1000) / 1000;
      return { ...count, ...turnedAway, queued: queue.size, batches, largestBatch, providerErrors, askMillis };
    },
    ledger: () => ledger.map,
    async close() {
      if (isClosing) return;
      isClosing = true;
      await closeAll(
        () => batcher.idle(options.drainMillis ?? 10_000),
        () => connection.flush(),
        () => connection.close(presence && { farewell: { topic: workerTopic(presence.site, presence.name), payload: GONE } }),
        () => provider.close?.(),
        () => options.ledgerSink?.close(),
        () => anomalies.flush(),
      );
    },
  };
}

function payloadOf(to: ReplyTo, wallMillis: number, answer: CloudAnswer | CloudTextAnswer): Payload<"answer" | "text-answer" | "refusal"> {
  const { node, agent, tick } = to;
  if (!answer.ok) {
    const { reason, detail, retryAfterMillis } = answer;
    const refusal = { v: SCHEMA_VERSION, kind: "refusal", node, wallMillis, agent, tick, reason, detail } as const;
    return retryAfterMillis === undefined ? refusal : { ...refusal, retryAfterMillis };
  }
  const { model } = answer;
  if ("reply" in answer) return { v: SCHEMA_VERSION, kind: "text-answer", node, wallMillis, agent, tick, reply: answer.reply, model };
  const { label, confidence } = answer;
  return { v: SCHEMA_VERSION, kind: "answer", node, wallMillis, agent, tick, label, confidence, model };
}

function checkIndex(index: number, count: number): void {
  if (Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count) return;
  throw new ConfigError("WORKER_INDEX", `worker ${index} of ${count} does not exist. Count workers from 0 to ${count - 1}.`);
}

/** Without shared subscriptions every worker receives every ask; each takes those whose id hashes to it. */
export function isMine(id: string | undefined, workerIndex: number, workerCount: number): boolean {
  return (id === undefined ? 0 : Number.parseInt(id.slice(0, 8), 16)) % workerCount === workerIndex;
}
