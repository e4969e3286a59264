import type { Clock } from "../core/system/clock.ts";
import type { DiaryReader } from "../diary/diary-reader.ts";
import type { DiaryAlarm } from "../diary/diary-types.ts";
import type { Asker, AskerEvents } from "../mqtt/asks/asker-types.ts";
import type { LinkState } from "../mqtt/wire/ask.ts";
import type { AssistantAnswer, AssistantPolicy, BatteryLevel, Why } from "./assistant-types.ts";
import { type CloudQuestionCounts, createCloudQuestions, type MakeAnswer } from "./cloud-questions.ts";
import { createExchanges } from "./exchanges.ts";
import { fallText } from "./fall-text.ts";
import { answerLocally, type LocalAnswer, type LocalKnowledge } from "./local-answers.ts";
import { readQuestion } from "./read-question.ts";
import { sharedFacts } from "./shared-facts.ts";
import * as say from "./template-texts.ts";

/** What cannot be undone needs more than the model's threshold, and a question that was read whole. */
const LEAST_TO_FORGET = 0.9;

/** What a text means; `IntentModel` is one. */
export interface IntentClassifier {
  classify(text: string): { readonly intent: string; readonly probability: number; readonly isSure: boolean; readonly isCut: boolean };
}

export interface AssistantOptions {
  readonly policy: AssistantPolicy;
  readonly model: IntentClassifier;
  readonly diary: DiaryReader;
  readonly clock: Clock;
  /** Makes the asker. Left out: nothing is ever asked. */
  readonly connect?: ((events: AskerEvents) => Asker) | undefined;
  readonly battery?: (() => BatteryLevel | undefined) | undefined;
  /** Removes today's diary and ledger; the assistant has evicted its own asks before. Throws with the reason. */
  readonly forgetToday: () => void;
  /** Answers that nobody waits for any more, and messages about falls. `question`: as it was asked, or as it was sent if an earlier process asked it. */
  readonly onAnswer: (answer: AssistantAnswer, question: string) => void;
}

export interface AssistantCounts extends CloudQuestionCounts {
  readonly local: number; // answered on the device
  readonly falls: number;
}

export interface Assistant {
  /** Answers a question, any string. Settles at once unless the cloud can answer; never rejects. */
  ask(text: string): Promise<AssistantAnswer>;
  /** Tells the wearer of a fall at once; the cloud may reword it. */
  fall(alarm: DiaryAlarm): void;
  readonly asker: Asker | undefined;
  readonly linkState: LinkState | undefined; // undefined: there is no cloud
  counts(): AssistantCounts;
  /** What is pending waits in a durable outbox for the next start. */
  close(): Promise<void>;
}

/**
 * Makes an assistant. The device answers what it has a handler for and is sure of, from the diary; any other question is sent, if it
 * may be. The cloud never changes what is answered on the device.
 *
 *     const assistant = createAssistant({ policy, model, diary, clock, forgetToday, onAnswer: console.log });
 *     console.log((await assistant.ask("how long have I been sitting?")).text);
 */
export function createAssistant(options: AssistantOptions): Assistant {
  const { policy, model, diary, clock, onAnswer } = options;
  const { asks } = policy;
  const exchanges = createExchanges(asks.share);
  const counts = { local: 0, falls: 0 };

  const knowledge = (): LocalKnowledge => {
    const nowMillis = clock.wall();
    return { figures: diary.read(nowMillis), battery: options.battery?.(), nowMillis };
  };
  /** Thousandths of a millisecond. */
  const since = (startedAt: number) => Math.round(1000 * (clock.now() - startedAt)) / 1000;
  const cloud = createCloudQuestions({
    ...{ policy, clock, exchanges, onAnswer, connect: options.connect },
    facts: () => sharedFacts(knowledge(), asks.share),
  });

  function ownAnswer(intent: string, question: string): LocalAnswer {
    switch (intent) {
      case "what-can-you-answer":
        return { text: say.canAnswer(asks.text) };
      case "who-answers":
        return { text: say.whoAnswers(asks, exchanges.last()?.by) };
      case "stop":
        return { text: say.STOPPED };
      case "forget-today":
        return { text: forget() };
      default:
        return answerLocally(intent, question, knowledge()) ?? { text: say.noHandler(intent) };
    }
  }

  function forget(): string {
    const asksGone = cloud.forget();
    try {
      options.forgetToday();
      return say.forgotten(asksGone);
    } catch (error) {
      return say.notForgotten((error as Error).message);
    }
  }

  return {
    asker: cloud.asker,
    get linkState() {
      return cloud.linkState;
    },
    counts: () => ({ ...counts, ...cloud.counts() }),
    async ask(given) {
      const startedAt = clock.now();
      const millis = () => since(startedAt);
      const read = readQuestion(given);
      if (!read.ok) {
        const text = say.noQuestion(read.flaw);
        return { text, by: "template", intent: null, probability: 0, why: "input", state: "invalid", millis: millis() };
      }
      const question = read.text;
      const { intent: label, probability, isSure, isCut } = model.classify(question);
      const intent = (Object.hasOwn(policy.answeredAs, label) ? policy.answeredAs[label] : undefined) ?? label;
      const notes = isCut ? [...read.notes, "the model read only its beginning"] : read.notes;
      const answerOf =
        (why: Why): MakeAnswer =>
        (text, by, state, meant = { intent, probability }) => ({
          ...{ text, by, intent: meant.intent, probability: meant.probability, why, state, millis: millis() },
          ...(notes.length === 0 ? {} : { notes }),
        });
      if (!isSure) return cloud.ask(question, answerOf("unsure"));
      if (!policy.local.includes(intent)) return cloud.ask(question, answerOf("needs-cloud"));
      if (intent === "ask-the-cloud") return cloud.ask(exchanges.last()?.question ?? question, answerOf("asked-for"));
      const isMeant = intent !== "forget-today" || (notes.length === 0 && probability >= LEAST_TO_FORGET);
      const { text, seconds, share }: LocalAnswer = isMeant ? ownAnswer(intent, question) : { text: say.SAY_FORGET };
      counts.local++;
      if (intent === "forget-today" && isMeant) exchanges.clear();
      else exchanges.add({ question, text, by: "device", share });
      return { ...answerOf("local")(text, "device", "answered"), ...(seconds === undefined ? {} : { seconds }) };
    },
    fall(alarm) {
      const startedAt = clock.now();
      const { probability } = alarm;
      const answer: MakeAnswer = (text, by, state) => ({
        ...{ text, by, intent: "last-fall", probability, why: "fall", state, millis: since(startedAt) },
      });
      const text = fallText(alarm);
      counts.falls++;
      exchanges.add({ question: "(an alarm)", text, by: "template", share: "activity" });
      onAnswer(answer(text, "template", "answered"), "");
      cloud.reword(alarm, answer);
    },
    close: () => cloud.close(),
  };
}
