import type { Clock } from "../../core/system/clock.ts";
import { createLedger, type LedgerSink, NOT_DURABLE } from "../outbox/ledger.ts";
import type { Outbox, OutboxEntry } from "../outbox/outbox.ts";
import { type Answer, ASK_STATES, type AskEnd, type AskState, type TextOutcome } from "../wire/ask.ts";
import { decodePayload, type Payload } from "../wire/payloads.ts";
import type { AskCounts, AskerEvents, EvictionCounts } from "./asker-types.ts";
import type { PendingAsks } from "./pending-asks.ts";

/** How often, while asks are pending, the log notes the time and failed writes are tried again. */
const BEAT_MILLIS = 30_000;
/** The clock and log time may drift so far apart before the machine is taken to have slept. */
const SLEPT_MILLIS = 1000;

/** Asks that no disk takes are asked from memory, so many of them. */
const MAX_VOLATILE_ASKS = 1024;

/** An ask as it goes to the cloud. */
export type AskPayload = Payload<"ask" | "text-ask">;

/** What an end may bring with it. */
interface More {
  readonly answer?: Answer;
  readonly reply?: NonNullable<TextOutcome["reply"]>;
  readonly reason?: string;
  readonly eviction?: keyof EvictionCounts;
}

export interface AskLifeOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly ledgerEntries: number;
  readonly ledgerSink: LedgerSink | undefined;
  readonly onOutcome: AskerEvents["onOutcome"];
  readonly onTextOutcome: NonNullable<AskerEvents["onTextOutcome"]>;
  readonly anomaly: (code: string, message: string) => void;
  /** Nothing is pending. */
  readonly onIdle: () => void;
  /** Every half minute while asks are pending or `isBusy`. */
  readonly onBeat: () => void;
  readonly isBusy: () => boolean;
}

/** Tracks every ask from *asked* to its one end state. The end is on disk before anything acts on it. */
export interface AskLife {
  readonly counts: { -readonly [K in keyof AskCounts]: number };
  readonly stats: { notDurable: number; unrecorded: number; outboxFailures: number; recovered: number; evictions: EvictionCounts };
  readonly ledger: ReadonlyMap<string, AskState>;
  readonly ledgerForgotten: number;
  /** Takes up what an earlier process left; `asks` is where pending ones live. */
  begin(asks: PendingAsks): void;
  ask(id: string, payload: AskPayload, encoded: Uint8Array): void;
  /** An ask that cannot be sent still has a state: it ends here and now. */
  turnAway(id: string, payload: AskPayload, state: AskEnd, more: More): void;
  finish(id: string, state: AskEnd, more?: More): void;
  /** Ages what is pending by the time for which the machine slept: its clock and timers stood still. Call before an ask or an answer is acted on. */
  catchUp(): void;
  /** Something else waits in the outbox: the beat goes on. */
  watch(): void;
  /** Evicts what is pending and clears the log of asks. Returns how many asks that were. */
  forget(): number;
  /** What is in no log ends here; what is pending in one stays for the next process. No beat follows. */
  end(): void;
}

export function createAskLife(options: AskLifeOptions): AskLife {
  const { node, clock, outbox, anomaly } = options;
  const counts = {
    ...{ asked: 0, answered: 0, expired: 0, refused: 0, evicted: 0, pending: 0 },
    ...{ duplicateAnswers: 0, lateAnswers: 0, malformedAnswers: 0, unknownAnswers: 0 },
  };
  const evictions = { full: 0, size: 0, age: 0, closed: 0, forgotten: 0, unreadable: 0, notDurable: 0 };
  const stats = { notDurable: 0, unrecorded: 0, outboxFailures: 0, recovered: 0, evictions };
  const ledger = createLedger<AskState>({
    entries: options.ledgerEntries,
    isOpen: (state) => state === "pending",
    wall: () => clock.wall(),
    sink: options.ledgerSink,
  });
  const unwritten = new Map<string, AskEnd>(); // ended here, pending in the log still
  const volatile = new Map<string, Uint8Array>(); // pending here, in no log
  let asks: PendingAsks;
  let cancelBeat: (() => void) | undefined;
  let isOver = false;
  let drift = outbox.now() - clock.now();

  const outboxFailed = (reason: string) => {
    stats.outboxFailures++;
    anomaly("OUTBOX_WRITE_FAILED", `the outbox could not be written: ${reason}. Make room on its disk.`);
  };

  /** Ends an ask; the only place that does. The end is on disk already. */
  function conclude(id: string, payload: AskPayload, state: AskEnd, latencyMillis: number, more: More): void {
    const { eviction = "full", answer, reply, reason } = more;
    ledger.set(id, node, state, eviction === "notDurable" ? NOT_DURABLE : undefined);
    counts[state]++;
    if (state === "evicted") evictions[eviction]++;
    const { agent, tick } = payload;
    const end = { id, state, agent, tick, latencyMillis };
    const told = reason === undefined ? end : { ...end, reason };
    if (payload.kind === "text-ask") {
      const outcome = { ...told, question: payload.question };
      options.onTextOutcome(reply ? { ...outcome, reply } : outcome);
    } else {
      const outcome = { ...told, local: payload.local };
      options.onOutcome(answer ? { ...outcome, answer } : outcome);
    }
  }

  function finish(id: string, state: AskEnd, more: More = {}): void {
    if (!asks.byId.has(id)) return;
    const written = outbox.end(id, state);
    if (!written.ok) {
      outboxFailed(written.reason);
      if (state === "answered" || state === "refused") {
        stats.unrecorded++; // not acted on: after a crash it would be again. It is asked again, and the worker remembers.
        return;
      }
      unwritten.set(id, state);
    }
    volatile.delete(id);
    const ask = asks.remove(id, state === "answered")!;
    counts.pending--;
    conclude(id, ask.payload, state, clock.now() - ask.askedAt, more);
    asks.pump();
    if (counts.pending === 0) options.onIdle();
  }

  function admit(id: string, payload: AskPayload, ageMillis: number, isInLedger = false): void {
    counts.asked++;
    counts.pending++;
    if (isInLedger) ledger.restore(id, "pending");
    else ledger.set(id, node, "pending", volatile.has(id) ? NOT_DURABLE : undefined);
    const askedAt = clock.now() - ageMillis;
    asks.add({ id, payload, askedAt, deadlineAt: askedAt + payload.deadlineMillis });
    watch();
  }

  function watch(): void {
    if (!isOver) cancelBeat ??= clock.after(BEAT_MILLIS, beat);
  }

  function turnAway(id: string, payload: AskPayload, state: AskEnd, more: More): void {
    counts.asked++;
    conclude(id, payload, state, 0, more);
  }

  function catchUp(): void {
    const slept = outbox.now() - clock.now() - drift;
    if (slept < SLEPT_MILLIS) return;
    drift += slept;
    asks.age(slept);
  }

  function beat(): void {
    cancelBeat = undefined;
    catchUp();
    for (const [id, state] of unwritten) if (outbox.end(id, state).ok) unwritten.delete(id);
    makeDurable();
    for (const id of outbox.overdue()) finish(id, "evicted", { eviction: "age", reason: "older than the outbox keeps" });
    outbox.beat();
    options.onBeat();
    if (counts.pending > 0 || unwritten.size > 0 || options.isBusy()) watch();
  }

  /** Asks that made way in the outbox for a younger one. */
  function leave(evicted: readonly string[]): void {
    for (const id of evicted) finish(id, "evicted", { reason: "the outbox was full" });
  }

  /** Tries again to write down what is pending from memory alone. */
  function makeDurable(): void {
    for (const [id, payload] of volatile) {
      const ask = asks.byId.get(id);
      if (ask) {
        const stored = outbox.add({ kind: "ask", id, payload, at: outbox.now() - (clock.now() - ask.askedAt) });
        if (!stored.ok) break;
        leave(stored.evicted);
      }
      volatile.delete(id);
    }
  }

  /**
   * Asks of an earlier process go on where the log says they were, at the age that they have by log time. Ledger and outbox are made
   * to agree: an end that either has holds in both, and what neither holds ends as evicted.
   */
  function recover(): void {
    const { pending, ended } = outbox;
    const earlier = options.ledgerSink?.earlier?.(node, (id) => pending.has(id) || ended.has(id)) ?? new Map<string, string>();
    for (const [id, state] of ended) {
      if (state === "delivered" || state === "undelivered") continue;
      if (isEnd(earlier.get(id))) ledger.restore(id, state);
      else ledger.set(id, node, state);
    }
    for (const entry of [...pending.values()]) if (entry.kind === "ask") takeUp(entry, earlier.get(entry.id));
    let notDurable = 0;
    for (const [id, state] of earlier) {
      if (isEnd(state) || pending.has(id) || ended.has(id)) continue;
      evictUnheld(id, "notDurable");
      notDurable++;
    }
    if (notDurable > 0) {
      const why = "were on no disk when it ended";
      anomaly("ASKS_NOT_DURABLE", `${notDurable} asks of an earlier process ${why}: they were evicted. Keep room on the outbox's disk.`);
    }
  }

  function takeUp({ id, at, payload }: OutboxEntry, before: string | undefined): void {
    if (isEnd(before)) {
      ledger.restore(id, before);
      if (!outbox.end(id, before).ok) unwritten.set(id, before);
      return;
    }
    const decoded = decodePayload(["ask", "text-ask"], payload);
    if (decoded.ok && decoded.value.node === node) {
      stats.recovered++;
      admit(id, decoded.value, Math.min(outbox.now() - at, decoded.value.deadlineMillis), before === "pending");
      return;
    }
    outbox.end(id, "evicted");
    evictUnheld(id, "unreadable");
    const why = decoded.ok ? "it is another node's" : decoded.reason;
    anomaly("OUTBOX_ENTRY_UNREADABLE", `ask ${id} of an earlier process was evicted: ${why}.`);
  }

  /** Evicts an ask of an earlier process of which nothing is left to tell an outcome of. */
  function evictUnheld(id: string, eviction: "notDurable" | "unreadable"): void {
    ledger.set(id, node, "evicted", eviction === "notDurable" ? NOT_DURABLE : undefined);
    counts.asked++;
    counts.evicted++;
    evictions[eviction]++;
  }

  return {
    counts,
    stats,
    get ledger() {
      return ledger.map;
    },
    get ledgerForgotten() {
      return ledger.forgotten;
    },
    begin(pending) {
      asks = pending;
      drift = outbox.now() - clock.now();
      recover();
    },
    catchUp,
    ask(id, payload, encoded) {
      catchUp(); // age existing asks before adding this one
      const stored = outbox.add({ kind: "ask", id, payload: encoded });
      if (stored.ok) leave(stored.evicted);
      else if (stored.why === "disk") {
        outboxFailed(stored.reason);
        if (volatile.size >= MAX_VOLATILE_ASKS) return turnAway(id, payload, "evicted", { reason: stored.reason, eviction: "notDurable" });
        stats.notDurable++;
        volatile.set(id, encoded);
      } else return turnAway(id, payload, "evicted", { reason: stored.reason, eviction: stored.why === "size" ? "size" : "full" });
      admit(id, payload, 0);
    },
    turnAway,
    finish,
    forget() {
      const pending = [...asks.byId.keys()];
      for (const id of pending) finish(id, "evicted", { eviction: "forgotten", reason: "forgotten" });
      const cleared = outbox.forget();
      if (!cleared.ok) outboxFailed(cleared.reason);
      return pending.length;
    },
    watch,
    end() {
      isOver = true;
      cancelBeat?.();
      makeDurable();
      const lost = outbox.isDurable ? volatile.keys() : asks.byId.keys();
      const eviction = outbox.isDurable ? "notDurable" : "closed";
      for (const id of [...lost]) finish(id, "evicted", { eviction, reason: "closed before an answer came" });
      for (const [id, state] of unwritten) outbox.end(id, state);
    },
  };
}

function isEnd(state: string | undefined): state is AskEnd {
  return state !== "pending" && ASK_STATES.includes(state as AskState);
}
