import { type Clock, systemClock } from "../core/clock.ts";
import { MqttError } from "../core/errors.ts";
import { checkAnswer, ID_BYTES } from "./answer-check.ts";
import { type Backoff, type RandomBytes, systemRandom } from "./backoff.ts";
import type { BrokerOptions } from "./broker-url.ts";
import { type Connection, createConnection, type IncomingMessage } from "./connection.ts";
import { createLedger, type LedgerSink } from "./ledger.ts";
import { createNews } from "./news.ts";
import { memoryOutbox, type Outbox } from "./outbox.ts";
import { decodePayload, encodePayload, MAX_DEADLINE_MILLIS, type Payload, SCHEMA_VERSION } from "./payloads.ts";
import { createPendingAsks, type PendingAsk } from "./pending-asks.ts";
import { type Presence, presenceSeconds, statePayload } from "./presence.ts";
import { topicsOf } from "./topics.ts";
import type { Answer, AskCounts, AskEnd, Asker, AskerEvents, AskQuery, AskState } from "./types.ts";

/** QoS 1 messages that the broker may have under way to a node. */
const RECEIVE_MAXIMUM = 64;

export interface AskerOptions {
  readonly broker: BrokerOptions;
  readonly site: string;
  /** Also the client id: one node, one connection. */
  readonly node: string;
  readonly events: AskerEvents;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
  /** Default memoryOutbox(). The asker takes it over and closes it. */
  readonly outbox?: Outbox;
  /** The asker takes it over and closes it. */
  readonly ledgerSink?: LedgerSink;
  readonly presence?: Presence;
  /** Default 300. Will delay is this and a minute; session expiry an hour more. */
  readonly longestSleepSeconds?: number;
  /** Default 60. */
  readonly keepAliveSeconds?: number;
  /** Reconnects, default 500…30000 ms. */
  readonly backoff?: Backoff;
  /** Resends of an unanswered ask, default 3000…15000 ms. */
  readonly retry?: Backoff;
  /** Asks sent and unanswered at once, default 32: what keeps a burst out of the broker's bounded queue. */
  readonly askWindow?: number;
  /** Ids that the ledger remembers, default 65536. */
  readonly ledgerEntries?: number;
}

/**
 * Asks the cloud, over MQTT 5, and tells what became of each ask exactly once. Throws only for names and URLs that can never work.
 * Example: `createAsker({ broker: { url: "mqtt://127.0.0.1:1883" }, site: "home", node: "wrist-1", events: { onOutcome: console.log } })`.
 */
export function createAsker(options: AskerOptions): Asker {
  const { node, events, clock = systemClock, random = systemRandom, outbox = memoryOutbox() } = options;
  const topics = topicsOf(options.site, node);
  const seconds = presenceSeconds(options.longestSleepSeconds ?? 300);
  const counts: { -readonly [K in keyof AskCounts]: number } = {
    ...{ asked: 0, answered: 0, expired: 0, refused: 0, evicted: 0, pending: 0 },
    ...{ duplicateAnswers: 0, lateAnswers: 0, malformedAnswers: 0, unknownAnswers: 0 },
  };
  const stats = { connects: 0, sends: 0, resends: 0, postponed: 0, outboxFailures: 0, recovered: 0 };
  const ledger = createLedger<AskState>({
    entries: options.ledgerEntries ?? 65_536,
    isOpen: (state) => state === "pending",
    wall: () => clock.wall(),
    sink: options.ledgerSink,
  });
  const drained = new Set<() => void>();
  let isClosed = false;

  const anomaly = (code: string, message: string) => events.onAnomaly?.(new MqttError(code, message));
  const connection: Connection = createConnection({
    broker: options.broker,
    clientId: node,
    clock,
    random,
    backoff: options.backoff ?? { firstMillis: 500, maxMillis: 30_000 },
    keepAliveSeconds: options.keepAliveSeconds ?? 60,
    cleanStart: false,
    sessionExpirySeconds: seconds.sessionExpiry,
    receiveMaximum: RECEIVE_MAXIMUM,
    will: () => ({ topic: topics.state, payload: statePayload(node, clock.wall(), "offline"), delaySeconds: seconds.willDelay }),
    filters: () => [topics.answer],
    onMessage: receive,
    onState(state, detail) {
      if (state === "online") {
        stats.connects++;
        const { topic, payload } = stateMessage("awake");
        void connection.publish(topic, payload, { retain: true });
        news.flush();
        asks.pump();
      } else asks.pause();
      events.onLinkState?.(state, detail);
    },
  });
  const news = createNews({ node, topics, connection, wall: () => clock.wall(), onAnomaly: (error) => events.onAnomaly?.(error) });
  const asks = createPendingAsks({
    clock,
    random,
    retry: options.retry ?? { firstMillis: 3000, maxMillis: 15_000 },
    window: options.askWindow ?? 32,
    isOnline: () => connection.state === "online",
    send,
    expire: (ask) => finish(ask.id, "expired"),
  });

  function stateMessage(state: "awake" | "asleep" | "offline", untilWallMillis?: number) {
    return { topic: topics.state, payload: statePayload(node, clock.wall(), state, options.presence, untilWallMillis) };
  }

  function send(ask: PendingAsk): void {
    const deadlineMillis = Math.ceil(ask.deadlineAt - clock.now());
    if (deadlineMillis <= 0) return; // its timer is due
    stats.sends++;
    if (ask.sends > 1) stats.resends++;
    const message = {
      correlationData: Buffer.from(ask.id, "hex"),
      responseTopic: topics.answer,
      messageExpirySeconds: Math.ceil(deadlineMillis / 1000),
    };
    void connection.publish(topics.ask(ask.payload.agent), encodePayload({ ...ask.payload, deadlineMillis }), message).then((result) => {
      if (!result.ok && connection.state === "online")
        anomaly("ASK_NOT_TAKEN", `the broker did not take ask ${ask.id}: ${result.reason}. It is sent again.`);
    });
  }

  type More = { readonly answer?: Answer; readonly reason?: string };

  function finish(id: string, state: AskEnd, more: More = {}): void {
    const ask = asks.remove(id);
    if (!ask) return;
    const written = outbox.end(id, state, clock.wall());
    if (!written.ok) outboxFailed(written.reason);
    counts.pending--;
    conclude(id, ask.payload, state, clock.now() - ask.askedAt, more);
    asks.pump();
    if (counts.pending === 0) for (const resolve of drained) resolve();
  }

  /** The one place where an ask ends. The medium already knows. */
  function conclude(id: string, payload: Payload<"ask">, state: AskEnd, latencyMillis: number, more: More): void {
    ledger.set(id, node, state);
    counts[state]++;
    const { agent, tick, local } = payload;
    events.onOutcome({ id, state, ...more, agent, tick, local, latencyMillis });
  }

  function outboxFailed(reason: string): void {
    stats.outboxFailures++;
    anomaly("OUTBOX_WRITE_FAILED", `the outbox could not be written: ${reason}. Make room on its disk.`);
  }

  function receive(message: IncomingMessage): void {
    if (message.topic !== topics.answer) return;
    const checked = checkAnswer(message, node, (id) => asks.byId.get(id));
    if (!checked.ok) {
      counts.malformedAnswers++;
      anomaly("ANSWER_MALFORMED", `an answer to ${checked.id ?? "nothing"} was ignored: ${checked.flaw}.`);
      return;
    }
    const { id, payload } = checked;
    if ((asks.byId.get(id)?.deadlineAt ?? Number.POSITIVE_INFINITY) <= clock.now()) finish(id, "expired");
    const ask = asks.byId.get(id);
    if (!ask) ignore(id, ledger.map.get(id));
    else if (payload.kind === "answer") {
      const { label, confidence, model } = payload;
      finish(id, "answered", { answer: { label, confidence, model } });
    } else if (payload.retryAfterMillis !== undefined && clock.now() + payload.retryAfterMillis < ask.deadlineAt) {
      stats.postponed++;
      asks.postpone(id, payload.retryAfterMillis);
    } else finish(id, "refused", { reason: `${payload.reason}: ${payload.detail}` });
  }

  function ignore(id: string, state: AskState | undefined): void {
    const [counter, code] =
      state === undefined
        ? (["unknownAnswers", "ANSWER_UNKNOWN"] as const)
        : state === "expired" || state === "evicted"
          ? (["lateAnswers", "ANSWER_LATE"] as const)
          : (["duplicateAnswers", "ANSWER_REPEATED"] as const);
    counts[counter]++;
    anomaly(code, `an answer to ${id} was ignored: ${state === undefined ? "it was never asked" : `the ask is already ${state}`}.`);
  }

  function admit(id: string, payload: Payload<"ask">, ageMillis: number): void {
    counts.asked++;
    counts.pending++;
    ledger.set(id, node, "pending");
    const askedAt = clock.now() - ageMillis;
    asks.add({ id, payload, askedAt, deadlineAt: askedAt + payload.deadlineMillis, sends: 0 });
  }

  /** An ask that cannot be sent, or cannot be made durable, still has a state: it ends here and now. */
  function turnAway(id: string, payload: Payload<"ask">, state: AskEnd, reason: string): void {
    counts.asked++;
    conclude(id, payload, state, 0, { reason });
  }

  /** Asks of an earlier process go on where the log says they were; the time between counts, whatever a wrong clock claims. */
  function recover(): void {
    for (const [id, state] of outbox.ended) ledger.set(id, node, state);
    for (const entry of [...outbox.pending.values()]) {
      const decoded = decodePayload(["ask"], entry.payload);
      if (decoded.ok && decoded.value.node === node) {
        const age = Math.min(Math.max(0, clock.wall() - entry.askedWallMillis), decoded.value.deadlineMillis);
        stats.recovered++;
        admit(entry.id, decoded.value, age);
      } else {
        outbox.end(entry.id, "evicted", clock.wall());
        ledger.set(entry.id, node, "evicted");
        counts.asked++;
        counts.evicted++;
        anomaly(
          "OUTBOX_ENTRY_UNREADABLE",
          `ask ${entry.id} of an earlier process was evicted: ${decoded.ok ? "it is another node's" : decoded.reason}.`,
        );
      }
    }
  }

  function newId(): string {
    for (let tries = 0; tries < 8; tries++) {
      const id = Buffer.from(random(ID_BYTES)).toString("hex");
      if (id.length === 2 * ID_BYTES && !ledger.map.has(id)) return id;
    }
    throw new MqttError("RANDOM_REPEATS", "the random source gave eight ids that were used before. Inject one that does not repeat.");
  }

  const { recovery } = outbox;
  if (recovery?.reason) {
    const where = recovery.setAside ? `The file was set aside as ${recovery.setAside}.` : "The rest was cut off.";
    anomaly(
      "OUTBOX_RECOVERED",
      `the outbox kept ${recovery.records} records and dropped ${recovery.droppedBytes} B: ${recovery.reason}. ${where}`,
    );
  }
  recover();
  connection.open();

  return {
    ask(query: AskQuery): string {
      const payload = payloadOf(node, clock.wall(), query);
      topics.ask(query.agent); // throws for a name that no topic can carry
      const id = newId();
      let bytes: Uint8Array;
      try {
        if (isClosed) throw new MqttError("ASKER_CLOSED", "the asker is closed");
        bytes = encodePayload(payload);
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        turnAway(id, payload, "refused", error.message);
        return id;
      }
      const stored = outbox.add({ id, askedWallMillis: payload.wallMillis, payload: bytes });
      for (const oldest of stored.evicted) finish(oldest, "evicted", { reason: "the outbox was full" });
      if (stored.ok) admit(id, payload, 0);
      else {
        outboxFailed(stored.reason);
        turnAway(id, payload, "evicted", stored.reason);
      }
      return id;
    },
    counts: () => ({ ...counts }),
    stats: () => ({
      ...stats,
      droppedEvents: news.droppedEvents,
      droppedTelemetry: news.droppedTelemetry,
      outboxBytes: outbox.bytes,
      ledgerForgotten: ledger.forgotten,
    }),
    ledger: () => ledger.map,
    get linkState() {
      return connection.state;
    },
    event: news.event,
    telemetry: news.telemetry,
    async sleep(untilWallMillis) {
      await connection.close({ keepWill: true, farewell: stateMessage("asleep", untilWallMillis) });
    },
    wake() {
      if (!isClosed) connection.open();
    },
    drain(timeoutMillis) {
      if (counts.pending === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = () => {
          cancel();
          drained.delete(done);
          resolve(counts.pending === 0);
        };
        const cancel = clock.after(timeoutMillis, done);
        drained.add(done);
      });
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      if (!outbox.isDurable) for (const id of [...asks.byId.keys()]) finish(id, "evicted", { reason: "closed before an answer came" });
      await connection.close({ farewell: stateMessage("offline"), ...(counts.pending === 0 ? { sessionExpirySeconds: 0 } : {}) });
      asks.clear();
      for (const resolve of drained) resolve();
      outbox.close();
      options.ledgerSink?.close();
    },
  };
}

function payloadOf(node: string, wallMillis: number, query: AskQuery): Payload<"ask"> {
  const { patches, deadlineMillis, labels, ...rest } = query;
  return {
    ...rest,
    v: SCHEMA_VERSION,
    kind: "ask",
    node,
    wallMillis,
    labels: [...labels],
    patches: new Uint8Array(patches.buffer, patches.byteOffset, patches.byteLength).slice(),
    deadlineMillis: Math.min(Math.max(1, Math.ceil(deadlineMillis)), MAX_DEADLINE_MILLIS),
  };
}
