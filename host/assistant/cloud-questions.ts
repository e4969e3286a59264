import type { Clock } from "../core/system/clock.ts";
import type { DiaryAlarm } from "../diary/diary-types.ts";
import { createScrubber } from "../guard/scrubber.ts";
import type { Asker, AskerEvents } from "../mqtt/asks/asker-types.ts";
import type { LinkState, TextOutcome } from "../mqtt/wire/ask.ts";
import { MAX_DEADLINE_MILLIS } from "../mqtt/wire/payloads.ts";
import { MAX_FACT_CHARS } from "../mqtt/wire/text-ask.ts";
import type { AnswerState, AssistantAnswer, AssistantPolicy } from "./assistant-types.ts";
import { cutScrubbed } from "./cut-scrubbed.ts";
import type { Exchanges } from "./exchanges.ts";
import { fallFact, isSameFigures } from "./fall-text.ts";
import type { SharedFact } from "./shared-facts.ts";
import * as say from "./template-texts.ts";

/** Questions that wait for the cloud at once; one more is not asked. */
const MOST_WAITING = 16;
/** A fall is reworded within so long, or not at all. */
const FALL_MILLIS = 10_000;
/** What the device asks if a fall may be reworded. */
const FALL_QUESTION = "Tell the wearer of this fall in one calm sentence, with the same figures.";

/** Makes the answer to a question: text, who gave it, what became of the question; the cloud may have understood another intent. */
export type MakeAnswer = (
  text: string,
  by: AssistantAnswer["by"],
  state: AnswerState,
  meant?: { readonly intent: string; readonly probability: number },
) => AssistantAnswer;

export interface CloudQuestionsOptions {
  readonly policy: AssistantPolicy;
  readonly clock: Clock;
  readonly connect: ((events: AskerEvents) => Asker) | undefined;
  readonly exchanges: Exchanges;
  /** What the wearer shares, now. */
  readonly facts: () => SharedFact[];
  readonly onAnswer: (answer: AssistantAnswer, question: string) => void;
}

/** Questions that only the cloud may answer: what is sent, what waits, what comes back. */
export interface CloudQuestions {
  /** Settles when the cloud has answered, or at once with why it cannot. Never rejects. */
  ask(question: string, answer: MakeAnswer): Promise<AssistantAnswer>;
  /** Has a fall's message reworded, if the wearer shares it and the link is up. */
  reword(alarm: DiaryAlarm, answer: MakeAnswer): void;
  /** Evicts what waits. Returns how many asks that were. */
  forget(): number;
  readonly asker: Asker | undefined;
  readonly linkState: LinkState | undefined;
  counts(): CloudQuestionCounts;
  close(): Promise<void>;
}

export interface CloudQuestionCounts {
  readonly asked: number;
  readonly answered: number;
  readonly saved: number;
  readonly withheld: number;
  readonly unknown: number;
  readonly expired: number;
  readonly refused: number;
  readonly reworded: number;
  readonly rewordingsRefused: number; // with figures that are not the fall's
}

/** A question that the cloud was asked. */
interface Waiting {
  readonly question: string;
  readonly answer: MakeAnswer;
  readonly restore: (text: string) => string;
  /** Who still waits for it; undefined: told that it is saved. */
  resolve: ((answer: AssistantAnswer) => void) | undefined;
  /** The link was down: if it expires, it is asked again for a day. */
  wasOffline: boolean;
  readonly fall: DiaryAlarm | undefined;
  readonly again: () => void;
}

export function createCloudQuestions(options: CloudQuestionsOptions): CloudQuestions {
  const { policy, clock, exchanges, onAnswer } = options;
  const { name, asks } = policy;
  const waiting = new Map<string, Waiting>();
  const counts = { asked: 0, answered: 0, saved: 0, withheld: 0, unknown: 0, expired: 0, refused: 0, reworded: 0, rewordingsRefused: 0 };
  let link: LinkState = "connecting";
  let isSending = false; // an ask that is turned away ends before its id is known

  const asker = options.connect?.({
    onOutcome() {}, // an assistant asks in words alone
    onTextOutcome(outcome) {
      const one = waiting.get(outcome.id);
      waiting.delete(outcome.id);
      if (one !== undefined) end(one, outcome);
      else if (!isSending) endEarlier(outcome);
    },
    onLinkState(state) {
      link = state;
      if (state === "offline") for (const one of waiting.values()) save(one);
    },
  });

  /** Tells who waits that the question is saved. */
  function save(one: Waiting): void {
    one.wasOffline = true;
    if (one.resolve === undefined) return;
    counts.saved++;
    one.resolve(one.answer(say.SAVED, "template", "saved"));
    one.resolve = undefined;
  }

  function deliver(one: Waiting, answer: AssistantAnswer): void {
    if (one.resolve === undefined) onAnswer(answer, one.question);
    else one.resolve(answer);
  }

  function end(one: Waiting, outcome: TextOutcome): void {
    const { reply, state, reason } = outcome;
    if (one.fall !== undefined) endRewording(one, reply?.kind === "say" ? one.restore(reply.text) : undefined);
    else if (reply !== undefined) {
      const text = one.restore(reply.text);
      const meant = reply.intent === undefined ? undefined : { intent: reply.intent, probability: reply.probability ?? 0 };
      exchanges.add({ question: one.question, text, by: "cloud", share: undefined });
      deliver(one, one.answer(text, "cloud", stateOf(outcome), meant));
    } else if (state === "expired" && one.wasOffline && link !== "online") one.again();
    else deliver(one, one.answer(say.noAnswer(state, reason), "template", stateOf(outcome)));
  }

  /** An ask of an earlier process: what its placeholders stand for is gone with it. */
  function endEarlier(outcome: TextOutcome): void {
    const { question, reply, state, reason, agent, latencyMillis } = outcome;
    if (agent !== name || question === FALL_QUESTION || state === "evicted") return;
    const { intent = null, probability = 0 } = reply ?? {};
    const text = reply?.text ?? say.noAnswer(state, reason);
    const by = reply === undefined ? "template" : "cloud";
    onAnswer({ text, by, intent, probability, why: "needs-cloud", state: stateOf(outcome), millis: latencyMillis }, question);
  }

  /** What became of a question, counted. */
  function stateOf({ reply, state }: TextOutcome): "answered" | "unknown" | "expired" | "refused" {
    const known = reply === undefined ? (state === "expired" ? state : "refused") : reply.kind === "say" ? "answered" : "unknown";
    counts[known]++;
    return known;
  }

  /** A rewording has the fall's figures and no others: a model that makes up a time tells nothing. */
  function endRewording(one: Waiting, text: string | undefined): void {
    if (text === undefined) return;
    const isTrue = isSameFigures(text, one.fall!, clock.wall());
    counts[isTrue ? "reworded" : "rewordingsRefused"]++;
    if (isTrue) onAnswer(one.answer(text, "cloud", "answered"), one.question);
  }

  /** Sends a question, its facts and what was said before, all scrubbed by one scrubber. */
  function send(question: string, facts: readonly SharedFact[], deadlineMillis: number, rest: Omit<Waiting, "question" | "restore">): void {
    const scrubber = createScrubber();
    isSending = true;
    const id = asker!.ask({
      agent: name,
      tick: Math.round(clock.now() / 1000) >>> 0,
      question: cutScrubbed(scrubber.scrub(question)),
      facts: facts.map((fact) => ({ name: fact.name, text: cutScrubbed(scrubber.scrub(fact.text), MAX_FACT_CHARS) })),
      said: exchanges.forAsk((text) => scrubber.scrub(text)),
      deadlineMillis,
    });
    isSending = false;
    counts.asked++;
    const one: Waiting = { ...rest, question: rest.fall === undefined ? question : "", restore: (text) => scrubber.restore(text) };
    if (asker!.ledger().get(id) === "pending") {
      waiting.set(id, one);
      if (link === "offline") save(one);
    } else if (one.fall === undefined) {
      counts.refused++;
      deliver(one, one.answer(say.noAnswer("refused", "it was not taken"), "template", "refused"));
    }
  }

  function flawOf(): string | undefined {
    if (!asks.text) return say.NOT_ALLOWED;
    if (asker === undefined) return say.NO_BROKER;
    return waiting.size >= MOST_WAITING ? say.TOO_MANY : undefined;
  }

  return {
    asker,
    get linkState() {
      return asker && link;
    },
    counts: () => ({ ...counts }),
    ask(question, answer) {
      const flaw = flawOf();
      if (flaw !== undefined) {
        counts.withheld++;
        return Promise.resolve(answer(flaw, "template", "withheld"));
      }
      const facts = options.facts();
      return new Promise((resolve) => {
        const ask = (millis: number, whoWaits: Waiting["resolve"]) =>
          send(question, facts, millis, {
            ...{ answer, resolve: whoWaits, wasOffline: link === "offline", fall: undefined },
            again: () => ask(MAX_DEADLINE_MILLIS, undefined),
          });
        ask(link === "offline" ? MAX_DEADLINE_MILLIS : Math.round(asks.deadlineSeconds * 1000), resolve);
      });
    },
    reword(alarm, answer) {
      const isShared = asks.share.includes("activity") && asks.share.includes("time");
      if (!isShared || link !== "online" || flawOf() !== undefined) return;
      send(FALL_QUESTION, [fallFact(alarm)], FALL_MILLIS, { answer, resolve: undefined, wasOffline: false, fall: alarm, again() {} });
    },
    forget: () => asker?.forget() ?? 0,
    async close() {
      for (const one of waiting.values()) save(one);
      await asker?.close();
    },
  };
}
