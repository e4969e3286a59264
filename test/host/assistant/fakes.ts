import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Assistant, type AssistantOptions, createAssistant, type IntentClassifier } from "../../../host/assistant/assistant.ts";
import type { AssistantAnswer, AssistantPolicy } from "../../../host/assistant/assistant-types.ts";
import { forgetDay } from "../../../host/diary/day-folder.ts";
import { type Diary, openDiary } from "../../../host/diary/diary.ts";
import { createDiaryReader } from "../../../host/diary/diary-reader.ts";
import { localDay } from "../../../host/diary/local-day.ts";
import { type AskerOptions, createAsker } from "../../../host/mqtt/asks/asker.ts";
import type { Connect } from "../../../host/mqtt/transport/connection.ts";
import type { ConnectionOptions, IncomingMessage } from "../../../host/mqtt/transport/connection-options.ts";
import { CONTENT_TYPE, decodePayload, encodePayload, type Payload, SCHEMA_VERSION } from "../../../host/mqtt/wire/payloads.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** Half past two of some day. */
export const NOW = localDay(1_790_000_000_000).startMillis + 14.5 * 3_600_000;

export const LOCAL = "what-am-i-doing how-long total-today at-time sitting-too-long last-fall battery what-can-you-answer who-answers ask-the-cloud forget-today stop".split(" "); // biome-ignore format: a list

/** Knows an intent by its words; is unsure of any other text. */
const INTENTS: readonly (readonly [RegExp, string])[] = [
  [/what am i doing/i, "what-am-i-doing"],
  [/how long/i, "how-long"],
  [/today's|total/i, "total-today"],
  [/ at \d| at three/i, "at-time"],
  [/too long/i, "sitting-too-long"],
  [/fall/i, "last-fall"],
  [/battery/i, "battery"],
  [/can you answer/i, "what-can-you-answer"],
  [/who answers/i, "who-answers"],
  [/ask the cloud/i, "ask-the-cloud"],
  [/forget/i, "forget-today"],
  [/^stop$/i, "stop"],
  [/weather/i, "weather"],
];
export const fakeModel: IntentClassifier = {
  classify(text) {
    const intent = INTENTS.find(([words]) => words.test(text))?.[1];
    return {
      intent: intent ?? "weather",
      probability: intent === undefined ? 0.2 : 0.97,
      isSure: intent !== undefined,
      isCut: text.length > 2000,
    };
  },
};

/** A broker in memory: what nodes sent is told, and a test answers. */
export function fakeBroker() {
  const sent: Payload<"text-ask">[] = [];
  const raw: Buffer[] = [];
  let options: ConnectionOptions | undefined;
  let state: "online" | "offline" | "connecting" = "connecting";
  const ids: Buffer[] = [];
  const set = (to: typeof state) => {
    state = to;
    options?.onState(to);
  };
  const connect: Connect = (given) => {
    options = given;
    return {
      get state() {
        return state;
      },
      open() {},
      publish: async (_topic, payload, more) => {
        raw.push(Buffer.from(payload));
        const read = decodePayload(["text-ask"], payload);
        if (read.ok && !ids.some((id) => id.equals(Buffer.from(more!.correlationData!)))) {
          sent.push(read.value);
          ids.push(Buffer.from(more!.correlationData!));
        }
        return { ok: true };
      },
      flush: async () => {},
      close: async () => {},
      effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
    };
  };
  return {
    connect,
    sent,
    raw,
    online: () => set("online"),
    offline: () => set("offline"),
    /** Answers the i-th ask. */
    reply(index: number, text: string, kind: "say" | "unknown" = "say") {
      const { node, agent, tick } = sent[index]!;
      const payload = encodePayload({
        v: SCHEMA_VERSION,
        kind: "text-answer",
        node,
        agent,
        tick,
        wallMillis: 0,
        reply: { kind, text },
        model: "m",
      });
      const message: IncomingMessage = {
        topic: options!.filters({} as never)[0]!,
        payload: Buffer.from(payload),
        retain: false,
        correlationData: ids[index]!,
        contentType: CONTENT_TYPE,
      };
      options!.onMessage(message);
    },
  };
}

export interface Told {
  readonly answer: AssistantAnswer;
  readonly question: string;
}

/** An assistant over a diary in a folder of its own; `remove` deletes that. */
export function fakeAssistant(
  asks: Partial<AssistantPolicy["asks"]> = {},
  more: Partial<AssistantOptions> & {
    readonly broker?: ReturnType<typeof fakeBroker>;
    readonly asker?: Partial<AskerOptions>;
    readonly folder?: string;
  } = {},
) {
  const root = mkdtempSync(join(tmpdir(), "assistant-"));
  const folder = more.folder ?? join(root, "diary");
  const clock = new ManualClock(NOW);
  const diary: Diary = openDiary({ folder, agent: "activity", clock, fromMillis: NOW - 3_600_000 });
  const told: Told[] = [];
  let at = NOW - 3_600_000;
  /** The wearer did this for so long; an hour's worth fits before NOW. */
  const did = (label: string, seconds: number) => {
    for (const end = at + seconds * 1000; at < end; at += 1000) diary.observe({ atMillis: at, label, probability: 0.9 });
    diary.save();
  };
  const { broker } = more;
  const assistant: Assistant = createAssistant({
    policy: { name: "assistant", local: LOCAL, answeredAs: {}, asks: { text: false, share: [], deadlineSeconds: 30, ...asks } },
    model: fakeModel,
    diary: createDiaryReader(folder),
    clock,
    connect:
      broker &&
      ((events) =>
        createAsker({
          broker: { url: "mqtt://127.0.0.1" },
          site: "home",
          node: "wrist-1",
          clock,
          connect: broker.connect,
          ...more.asker,
          events,
        })),
    forgetToday: () => void forgetDay(folder, NOW),
    onAnswer: (answer, question) => told.push({ answer, question }),
    ...more,
  });
  return { assistant, clock, diary, did, told, folder, root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
