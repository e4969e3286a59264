import { systemClock } from "../../core/system/clock.ts";
import { closeAll } from "../../core/system/close-all.ts";
import { MqttError } from "../../core/system/errors.ts";
import { createRepeatLimit } from "../../core/system/repeat-limit.ts";
import { createSteadyClock, systemSteadyClock } from "../outbox/log-time.ts";
import { memoryOutbox } from "../outbox/outbox.ts";
import { systemRandom } from "../transport/backoff.ts";
import { type Connection, createConnection } from "../transport/connection.ts";
import type { IncomingMessage } from "../transport/connection-options.ts";
import type { AskQuery, TextQuery } from "../wire/ask.ts";
import { encodeAndRead, encodePayload, MAX_DEADLINE_MILLIS, type Payload, SCHEMA_VERSION } from "../wire/payloads.ts";
import { buildTopics, parseTopic } from "../wire/topics.ts";
import { createAlarms } from "./alarms.ts";
import { ID_BYTES } from "./answer-check.ts";
import { createAnswerIntake } from "./answer-intake.ts";
import { type AskPayload, createAskLife } from "./ask-life.ts";
import type { AskerOptions } from "./asker-options.ts";
import type { Asker } from "./asker-types.ts";
import type { Publish } from "./companion.ts";
import { createEventPublisher } from "./event-publisher.ts";
import { createNodeState, type RetainedMessage } from "./node-state.ts";
import { createPendingAsks, type PendingAsk } from "./pending-asks.ts";
import { presenceSeconds } from "./presence.ts";

export type { AskerOptions } from "./asker-options.ts";

/** QoS 1 messages that the broker may have under way to a node. */
const RECEIVE_MAXIMUM = 64;
/** The least wait before an ask goes again that a worker had no time for, unless silence would make it due sooner. */
const LEAST_PATIENCE_MILLIS = 500;

/**
 * Sends asks to the cloud over MQTT 5 and reports the outcome of each exactly once. Throws only for names and URLs that can never work.
 * Example: `createAsker({ broker: { url: "mqtt://127.0.0.1:1883" }, site: "home", node: "wrist-1", events: { onOutcome: console.log } })`.
 */
export function createAsker(options: AskerOptions): Asker {
  const { node, events, clock = systemClock, random = systemRandom, connect = createConnection } = options;
  const { companion, payload: format = "cbor" } = options;
  const { retry = { firstMillis: 3000, maxMillis: 15_000 } } = options;
  const outbox = options.outbox ?? memoryOutbox({}, clock === systemClock ? systemSteadyClock : createSteadyClock(clock));
  const topics = buildTopics(options.site, node);
  const seconds = presenceSeconds(options.longestSleepSeconds ?? 300);
  const stats = { connects: 0, sends: 0, resends: 0 };
  const drained = new Set<() => void>();
  let isClosed = false;

  const anomalies = createRepeatLimit(clock, (code, message) => events.onAnomaly?.(new MqttError(code, message)));
  const anomaly = anomalies.tell;
  const state = createNodeState({
    ...{ node, topics, format, isLive: options.isStateLive ?? false, presence: options.presence ?? {} },
    connection: () => connection,
    wall: () => clock.wall(),
  });
  const publish: Publish = (topic, payload, publishOptions) => connection.publish(topic, payload, publishOptions);
  const connection: Connection = connect({
    broker: options.broker,
    clientId: node,
    clock,
    random,
    backoff: options.backoff ?? { firstMillis: 500, maxMillis: 30_000 },
    breaker: options.breaker,
    radioMillisAnHour: options.radioMillisAnHour,
    keepAliveSeconds: options.keepAliveSeconds ?? 60,
    ackTimeoutMillis: options.ackTimeoutMillis,
    cleanStart: false,
    sessionExpirySeconds: seconds.sessionExpiry,
    receiveMaximum: RECEIVE_MAXIMUM,
    will: () => ({ ...state.will(), delaySeconds: seconds.willDelay, ...(format === "json" && { contentType: "text/plain" }) }),
    filters: () => [topics.answer, ...(options.onCommand ? [topics.commands] : []), ...(companion?.filters ?? [])],
    onMessage: receive,
    onAnomaly: anomaly,
    onState(link, detail, retryMillis) {
      if (link === "online") {
        stats.connects++;
        state.online();
        companion?.online(publish);
        alarms.flush();
        asks.pump();
        publisher.flush();
      } else asks.pause();
      events.onLinkState?.(link, detail, retryMillis);
    },
  });
  const onAnomaly = ({ code, message }: MqttError) => anomaly(code, message);
  const publisher = createEventPublisher({ node, topics, connection, format, wall: () => clock.wall(), onAnomaly });
  const life = createAskLife({
    ...{ node, clock, outbox, anomaly, ledgerEntries: options.ledgerEntries ?? 65_536, ledgerSink: options.ledgerSink },
    onOutcome: (outcome) => events.onOutcome(outcome),
    onTextOutcome: (outcome) => events.onTextOutcome?.(outcome),
    onIdle: idle,
    onBeat() {
      for (const id of outbox.overdue()) alarms.gone(id);
      alarms.flush();
    },
    isBusy: () => alarms.counts().pending > 0,
  });
  const asks = createPendingAsks({
    clock,
    random,
    retry,
    window: options.askWindow ?? 32,
    isOnline: () => connection.state === "online",
    send,
    expire: (ask) => life.finish(ask.id, "expired"),
  });
  const { counts } = life;
  const answers = createAnswerIntake({
    ...{ node, clock, life, asks, anomaly },
    leastPatienceMillis: Math.min(LEAST_PATIENCE_MILLIS, retry.firstMillis),
  });

  function tellLabel(agent: string, { label }: Readonly<Record<string, unknown>>): void {
    if (typeof label === "string") state.label(agent, label);
  }

  function idle(): void {
    if (counts.pending === 0) for (const resolve of drained) resolve();
  }

  function send(ask: PendingAsk): void {
    life.catchUp();
    const deadlineMillis = Math.ceil(ask.deadlineAt - clock.now());
    if (deadlineMillis <= 0) return; // its timer is due
    stats.sends++;
    if (ask.sends > 1) stats.resends++;
    const message = {
      correlationData: Buffer.from(ask.id, "hex"),
      responseTopic: topics.answer,
      messageExpirySeconds: Math.ceil(deadlineMillis / 1000),
    };
    void connection.publish(topics.ask(ask.payload.agent), encoded(ask, deadlineMillis), message).then((result) => {
      if (result.ok) return;
      if (result.isTooLarge) life.finish(ask.id, "refused", { reason: `too large: ${result.reason}` });
      else if (connection.state === "online")
        anomaly("ASK_NOT_TAKEN", `the broker did not take ask ${ask.id}: ${result.reason}. It is sent again.`);
    });
  }

  /** The ask as the outbox has it, while its deadline is as far away as when it was asked. */
  function encoded({ id, payload }: PendingAsk, deadlineMillis: number): Uint8Array {
    const stored = deadlineMillis === payload.deadlineMillis ? outbox.pending.get(id)?.payload : undefined;
    return stored ?? encodePayload({ ...payload, deadlineMillis });
  }

  function receive(message: IncomingMessage): void {
    if (companion?.receive(message, publish)) return;
    life.catchUp();
    if (message.topic === topics.answer) answers.receive(message);
    else if (parseTopic(message.topic)?.kind === "command") options.onCommand?.(message);
  }

  function newId(): string {
    for (let tries = 0; tries < 8; tries++) {
      const id = Buffer.from(random(ID_BYTES)).toString("hex");
      if (id.length === 2 * ID_BYTES && !life.ledger.has(id)) return id;
    }
    throw new MqttError("RANDOM_REPEATS", "the random source gave eight ids that were used before. Inject one that does not repeat.");
  }

  const { recovery } = outbox;
  if (recovery?.reason) {
    const where = recovery.setAside ? `The file was set aside as ${recovery.setAside}.` : "The rest was cut off.";
    const kept = `the outbox kept ${recovery.records} records and dropped ${recovery.droppedBytes} B`;
    anomaly("OUTBOX_RECOVERED", `${kept}: ${recovery.reason}. ${where}`);
  }
  life.begin(asks);
  const alarms = createAlarms({ node, topics, connection, outbox, format, wall: () => clock.wall(), onAnomaly, onSettled: idle });
  if (alarms.counts().pending > 0) life.watch();
  connection.open();

  return {
    ask(query: AskQuery | TextQuery): string {
      const payload = payloadOf(node, clock.wall(), query);
      topics.ask(query.agent); // throws for a name that no topic can carry
      const id = newId();
      try {
        if (isClosed) throw new MqttError("ASKER_CLOSED", "the asker is closed");
        const { bytes, read } = encodeAndRead<"ask" | "text-ask">(payload);
        life.ask(id, read, bytes);
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        life.turnAway(id, payload, "refused", { reason: error.message });
      }
      return id;
    },
    counts: () => ({ ...counts }),
    stats: () => ({
      ...stats,
      ...life.stats,
      postponed: answers.postponed,
      evictions: { ...life.stats.evictions },
      alarms: alarms.counts(),
      ...connection.effort(),
      droppedEvents: publisher.droppedEvents,
      droppedTelemetry: publisher.droppedTelemetry,
      outboxBytes: outbox.bytes,
      ledgerForgotten: life.ledgerForgotten,
    }),
    ledger: () => life.ledger,
    get linkState() {
      return connection.state;
    },
    event(agent, data) {
      tellLabel(agent, data);
      publisher.event(agent, data);
    },
    report(presence) {
      state.report(presence);
      companion?.report(presence, publish);
    },
    telemetry: publisher.telemetry,
    alarm(agent, data) {
      tellLabel(agent, data);
      const id = newId();
      const { evicted } = alarms.raise(id, agent, data);
      for (const gone of evicted) if (!alarms.gone(gone)) life.finish(gone, "evicted", { reason: "an alarm took its place" });
      life.watch();
      return id;
    },
    async sleep(untilWallMillis) {
      const sleepSeconds = Math.max(0, (untilWallMillis - clock.wall()) / 1000);
      const { sessionExpiry } = presenceSeconds(sleepSeconds);
      const isLonger = sessionExpiry > seconds.sessionExpiry;
      if (isLonger)
        anomaly("SLEEP_TOO_LONG", `${Math.round(sleepSeconds)} s is above longestSleepSeconds: the broker will tell that it is lost.`);
      const farewell = state.farewell("asleep", untilWallMillis);
      await connection.close({ keepWill: true, farewell, ...(isLonger ? { sessionExpirySeconds: sessionExpiry } : {}) });
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
    forget: () => life.forget(),
    async close() {
      if (isClosed) return;
      isClosed = true;
      const leave: { farewell?: RetainedMessage } = {};
      await closeAll(
        () => life.end(),
        () => Object.assign(leave, { farewell: state.farewell("offline") }),
        () => companion?.close(),
        () => connection.close({ ...leave, ...(counts.pending === 0 ? { sessionExpirySeconds: 0 } : {}) }),
        () => asks.clear(),
        () => {
          for (const resolve of drained) resolve();
        },
        () => alarms.close(), // one that came while it was leaving waits in the log
        () => outbox.close(),
        () => options.ledgerSink?.close(),
        () => anomalies.flush(),
      );
    },
  };
}

/** What a text ask declares, and nothing that its objects may carry besides: what was scrubbed must not leave by a side door. */
function textOf({ agent, tick, question, facts, said }: TextQuery) {
  return {
    ...{ agent, tick, question },
    facts: facts.map(({ name, text }) => ({ name, text })),
    said: said.map(({ question, text, by }) => ({ question, text, by })),
  };
}

function payloadOf(node: string, wallMillis: number, query: AskQuery | TextQuery): AskPayload {
  const deadlineMillis = Math.min(Math.max(1, Math.ceil(query.deadlineMillis)), MAX_DEADLINE_MILLIS);
  if ("question" in query) return { v: SCHEMA_VERSION, kind: "text-ask", node, wallMillis, ...textOf(query), deadlineMillis };
  const { agent, tick, imageHash, labels, form, atExit, patches, patchBytes, windowPatches, local } = query;
  const payload: Payload<"ask"> = {
    v: SCHEMA_VERSION,
    kind: "ask",
    node,
    wallMillis,
    agent,
    tick,
    imageHash,
    labels: [...labels],
    patches: new Uint8Array(patches.buffer, patches.byteOffset, patches.byteLength),
    patchBytes,
    windowPatches,
    local,
    deadlineMillis,
  };
  if (form !== undefined) payload.form = form;
  if (atExit !== undefined) payload.atExit = atExit;
  return payload;
}
