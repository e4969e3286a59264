import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { readDiary } from "../../../host/diary/figures.ts";
import { openOutbox } from "../../../host/mqtt/outbox/outbox.ts";
import { fakeAssistant, fakeBroker, NOW } from "./fakes.ts";

const made: { remove(): void }[] = [];
afterEach(() => {
  for (const one of made.splice(0)) one.remove();
});
const create = (...args: Parameters<typeof fakeAssistant>) => {
  const one = fakeAssistant(...args);
  made.push(one);
  return one;
};

describe("assistant on the device", () => {
  it("answers with the diary's figure, by the device, within 5 ms", async () => {
    const { assistant, did, folder } = create();
    did("walking", 600);
    did("sitting", 2000);
    const answer = await assistant.ask("how long have I been sitting?");
    const { current } = readDiary(folder, NOW);
    expect(answer).toMatchObject({ by: "device", intent: "how-long", why: "local", state: "answered", seconds: current!.seconds });
    expect(answer.text).toContain("33 min 19 s");
    expect(answer.millis).toBeLessThanOrEqual(5);
  });

  it.each([
    ["what am I doing", /^When last seen, at 14:1\d, you were sitting, since 13:4\d/, true],
    ["how long did I walk", /^You are sitting now\. You were last walking for 10 min.*until 13:40\.$/, true],
    ["how long did I climb stairs", "You are sitting now. No climbing stairs is noted.", false],
    ["today's walking", /^Today you have been walking for 10 min, in 1 bout\.$/, true],
    ["today's total", /^Today: sitting 33 min 19 s, walking 10 min\.$/, false],
    ["what was I doing at 13:35?", /^At 13:35 you were walking, from 13:30 to 13:40 \(10 min\)\.$/, true],
    ["what was I doing at three?", "Nothing is noted for 03:00.", false],
    ["what was I up to, at 99?", /^Which time\?/, false],
    ["do I sit too long", /^Yes, you have been sitting for 33 min 19 s: longer than 30 min\./, true],
    ["any fall?", "No fall is noted.", false],
    ["battery", "This device does not tell its battery's level.", false],
    ["what can you answer", /^On this device:/, false],
    ["who answers?", /^This device answers, from its diary\. Your questions never leave it\.$/, false],
    ["stop", "Stopped.", false],
  ])("%j is answered from what was noted", async (question, text, hasFigure) => {
    const { assistant, did } = create();
    did("walking", 600);
    did("sitting", 2000);
    const answer = await assistant.ask(question);
    if (typeof text === "string") expect(answer.text).toBe(text);
    else expect(answer.text).toMatch(text);
    expect(answer).toMatchObject({ by: "device", why: "local", state: "answered" });
    expect(answer.seconds !== undefined).toBe(hasFigure);
  });

  it("says so when nothing was noted yet, and what the battery has", async () => {
    const { assistant } = create({}, { battery: () => ({ percent: 71.6, hoursLeft: 50.2 }) });
    for (const question of ["what am i doing", "how long", "today's total", "too long?"])
      expect((await assistant.ask(question)).text).toMatch(/empty/);
    expect((await assistant.ask("battery?")).text).toBe("The battery is at 72 %, enough for about 50 h.");
  });

  it("withholds what it cannot answer: as unsure, or as needs-cloud", async () => {
    const { assistant } = create();
    expect(await assistant.ask("blah")).toMatchObject({ by: "template", why: "unsure", state: "withheld" });
    expect(await assistant.ask("what is the weather")).toMatchObject({
      by: "template",
      why: "needs-cloud",
      intent: "weather",
      state: "withheld",
    });
    expect(assistant.counts()).toMatchObject({ withheld: 2, asked: 0, local: 0 });
  });

  it.each([
    ["empty text", "", "invalid"],
    ["blanks", " \n\t", "invalid"],
    ["only emoji", "🚶‍♀️🔋👍🏽", "invalid"],
    ["NUL", "\0", "invalid"],
    ["lone surrogates", "\udfff\ud800\ud83d", "invalid"],
    ["direction marks alone", "\u202e\u2066\u200f", "invalid"],
    ["another language", "wie wird das Wetter morgen?", "withheld"],
    ["Arabic", "كيف حالك", "withheld"],
    ["a placeholder", "<PHONE_1>", "withheld"],
    ["100 KB", "x ".repeat(51_200), "withheld"],
  ])("%s: is named or answered as unsure", async (_, text, state) => {
    const { assistant } = create();
    const answer = await assistant.ask(text);
    expect(answer).toMatchObject({ by: "template", state });
    expect(answer.why).toBe(state === "invalid" ? "input" : "unsure");
  });

  it("reads a question through NUL, direction marks and lone surrogates, cuts 100 KB, and says so", async () => {
    const { assistant, did } = create();
    did("sitting", 60);
    const odd = await assistant.ask("how\u202e lo\0ng\ud800?");
    expect(odd).toMatchObject({ by: "device", intent: "how-long" });
    expect(odd.notes).toHaveLength(1);
    expect((await assistant.ask(`how long ${"x ".repeat(50_000)}`)).notes).toHaveLength(2); // by the reader and by the model
  });

  it("forgets today only if it is sure of that, and has read the whole question", async () => {
    const sure = { classify: () => ({ intent: "forget-today", probability: 0.8, isSure: true, isCut: false }) };
    for (const more of [{ model: sure }, {}]) {
      const { assistant, did, folder } = create({}, more);
      did("sitting", 60);
      const answer = await assistant.ask(`forget ${more.model === undefined ? "\u202e" : ""}`);
      expect(answer).toMatchObject({ by: "device", intent: "forget-today", text: expect.stringContaining("Say") });
      expect(readdirSync(folder)).toHaveLength(1);
    }
  });

  it("answers any string, and rejects none", async () => {
    const { assistant, did } = create();
    did("sitting", 60);
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      fc.constantFrom(
        "how long",
        "what was I doing at ",
        "ask the cloud",
        "99",
        ":",
        "half past ",
        " ago",
        "<NAME_1>",
        "quarter to ",
        "pm",
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const { text, by } = await assistant.ask(pieces.join(""));
        expect(text.length).toBeGreaterThan(0);
        expect(by).not.toBe("cloud");
      }),
    );
  });
});

describe("assistant with a cloud", () => {
  const online = (asks: Parameters<typeof fakeAssistant>[0] = {}, more: Parameters<typeof fakeAssistant>[1] = {}) => {
    const broker = fakeBroker();
    const one = create({ text: true, ...asks }, { broker, ...more });
    broker.online();
    return { ...one, broker };
  };

  it("sends name, phone and card as placeholders and shows the answer with them in place", async () => {
    const { assistant, broker } = online();
    const secrets = ["Anna Kowalczyk", "+1 555 013 2460", "4111 1111 1111 1111"];
    const answer = assistant.ask(`Tell ${secrets[0]} at ${secrets[1]} that my card is ${secrets[2]}`);
    expect(broker.sent[0]).toMatchObject({ question: "Tell <NAME_1> at <PHONE_1> that my card is <CARD_1>", facts: [], said: [] });
    const carried = Buffer.concat(broker.raw).toString("latin1");
    for (const secret of [...secrets, "Kowalczyk", "0132460", "4111"]) expect(carried).not.toContain(secret);
    broker.reply(0, "I told <NAME_1> at <PHONE_1>, not <CARD_1>.");
    expect(await answer).toMatchObject({
      ...{ by: "cloud", why: "unsure", state: "answered" },
      text: `I told ${secrets[0]} at ${secrets[1]}, not ${secrets[2]}.`,
    });
  });

  it("keeps text on the device unless asks.text is true", async () => {
    const { assistant, broker } = online({ text: false });
    expect((await assistant.ask("what is the weather")).state).toBe("withheld");
    expect(broker.sent).toEqual([]);
  });

  it("shares no facts by default, and those of the policy alone", async () => {
    const shares = [[], ["time"], ["battery"], ["activity"], ["activity", "time"]] as const;
    const facts = [];
    for (const share of shares) {
      const { assistant, broker, did } = online({ share }, { battery: () => ({ percent: 71 }) });
      did("walking", 600);
      void assistant.ask("what is the weather");
      facts.push(broker.sent[0]!.facts.map(({ name }) => name));
      const texts = broker.sent[0]!.facts.map(({ text }) => text).join(" ");
      expect(/\d\d:\d\d/.test(texts)).toBe((share as readonly string[]).includes("time"));
    }
    expect(facts).toEqual([[], ["time"], ["battery"], ["how-long", "total-today"], ["time", "how-long", "total-today"]]);
  });

  it("tells the next ask what was said here, but not what the wearer does not share", async () => {
    for (const share of [[], ["activity", "time"]] as const) {
      const { assistant, broker, did } = online({ share });
      did("walking", 600);
      const local = await assistant.ask("how long did I walk");
      void assistant.ask("what is the weather");
      const text = share.length === 0 ? "(answered on the device, not shared)" : local.text;
      expect(broker.sent[0]!.said).toEqual([{ question: "how long did I walk", text, by: "device" }]);
    }
  });

  it("sends the last question when the wearer wants the cloud to answer it", async () => {
    const { assistant, broker, did } = online();
    did("walking", 600);
    await assistant.ask("how long did I walk");
    const answer = assistant.ask("ask the cloud");
    expect(broker.sent[0]!.question).toBe("how long did I walk");
    broker.reply(0, "I do not know", "unknown");
    expect(await answer).toMatchObject({ by: "cloud", why: "asked-for", state: "unknown" });
  });

  it("offline: says at once that a question is saved, goes on answering, and tells the answer once when it is back", async () => {
    const { assistant, broker, did, told, clock } = online();
    did("sitting", 600);
    broker.offline();
    expect(await assistant.ask("what is the weather, Anna?")).toMatchObject({ by: "template", state: "saved", why: "needs-cloud" });
    expect(await assistant.ask("how long")).toMatchObject({ by: "device", state: "answered" });
    clock.advance(3_600_000);
    broker.online();
    broker.reply(0, "Rain, <NAME_1>.");
    broker.reply(0, "Rain, <NAME_1>.");
    expect(told.map(({ answer, question }) => [answer.by, answer.text, question])).toEqual([
      ["cloud", "Rain, Anna.", "what is the weather, Anna?"],
    ]);
  });

  it("the link goes down while a question waits → saved at once, asked again after its deadline, answered once", async () => {
    const { assistant, broker, told, clock } = online();
    const answer = assistant.ask("what is the weather");
    broker.offline();
    expect(await answer).toMatchObject({ state: "saved" });
    clock.advance(60_000);
    expect(assistant.counts()).toMatchObject({ asked: 2, expired: 0, saved: 1 });
    broker.online();
    broker.reply(0, "late");
    broker.reply(1, "Rain.");
    expect(told.map(({ answer: { text } }) => text)).toEqual(["Rain."]);
  });

  it("no answer in time → expired, counted", async () => {
    const { assistant, clock } = online();
    const answer = assistant.ask("what is the weather");
    clock.advance(31_000);
    expect(await answer).toMatchObject({ by: "template", state: "expired" });
    expect(assistant.counts().expired).toBe(1);
  });

  it("an answer with an unknown placeholder, or of more than 400 characters → never shown", async () => {
    const { assistant, broker, clock } = online();
    const answer = assistant.ask("write to Anna");
    broker.reply(0, "Dear <NAME_2>");
    expect(() => broker.reply(0, "x".repeat(401))).toThrow(); // not even the wire takes it
    expect(assistant.asker!.counts().malformedAnswers).toBe(1);
    clock.advance(31_000);
    expect((await answer).state).toBe("expired");
  });

  it("a 17th question that would wait → withheld, not queued", async () => {
    const { assistant } = online();
    for (let i = 0; i < 16; i++) void assistant.ask(`weather ${i}`);
    expect(await assistant.ask("weather")).toMatchObject({ state: "withheld" });
    expect(assistant.asker!.counts().pending).toBe(16);
  });

  it("a restart → the answer to a saved question keeps its placeholders, since nobody stored what they stand for", async () => {
    const first = create({ text: true }, { broker: fakeBroker(), asker: {} });
    const path = join(first.root, "a.outbox");
    const broker = fakeBroker();
    const one = create({ text: true }, { broker, asker: { outbox: openOutbox({ path, fsync: "none" }) } });
    broker.offline();
    expect((await one.assistant.ask("what is the weather, Anna?")).state).toBe("saved");
    await one.assistant.close();
    const back = fakeBroker();
    const next = create({ text: true }, { broker: back, asker: { outbox: openOutbox({ path, fsync: "none" }) } });
    back.online();
    back.reply(0, "Rain, <NAME_1>.");
    expect(next.told).toMatchObject([{ question: "what is the weather, <NAME_1>?", answer: { text: "Rain, <NAME_1>.", by: "cloud" } }]);
    await next.assistant.close();
  });

  it("forget today → diary, outbox and what was said are gone; who waited hears it", async () => {
    const { assistant, broker, did, folder, diary } = online();
    did("walking", 600);
    diary.close();
    const waits = assistant.ask("what is the weather, Anna?");
    expect(await assistant.ask("forget today")).toMatchObject({ by: "device", text: expect.stringContaining("1 waiting question") });
    expect(await waits).toMatchObject({ state: "refused" });
    expect(readdirSync(folder)).toEqual([]);
    expect(assistant.asker!.counts()).toMatchObject({ evicted: 1, pending: 0 });
    expect(assistant.asker!.stats().evictions.forgotten).toBe(1);
    void assistant.ask("what is the weather");
    expect(broker.sent[1]!.said).toEqual([]);
  });
});

describe("a fall", () => {
  const alarm = { label: "fall", atMillis: NOW - 60_000, probability: 0.97 };

  it("is told by a template at once; the cloud may reword it with the same figures", () => {
    const broker = fakeBroker();
    const { assistant, told } = create({ text: true, share: ["activity", "time"] }, { broker });
    broker.online();
    assistant.fall(alarm);
    expect(told.map(({ answer }) => [answer.by, answer.why])).toEqual([["template", "fall"]]);
    expect(broker.sent[0]!.facts).toEqual([{ name: "last-fall", text: "A fall was noticed at 14:29, 97 % sure." }]);
    broker.reply(0, "At 14:29 you fell, it seems. How do you feel?");
    expect(told.map(({ answer }) => answer.by)).toEqual(["template", "cloud"]);
    assistant.fall(alarm);
    broker.reply(1, "At 15:30 you fell.");
    expect(told).toHaveLength(3);
    expect(assistant.counts()).toMatchObject({ falls: 2, reworded: 1, rewordingsRefused: 1 });
  });

  it("the cloud takes more than 10 s, is offline, or nothing is shared → the template stands", () => {
    const broker = fakeBroker();
    const { assistant, told, clock } = create({ text: true, share: ["activity", "time"] }, { broker });
    assistant.fall(alarm);
    expect(broker.sent).toHaveLength(0);
    broker.online();
    assistant.fall(alarm);
    clock.advance(10_001);
    broker.reply(0, "At 14:29 you fell.");
    expect(told.map(({ answer }) => answer.by)).toEqual(["template", "template"]);
    const silent = fakeBroker();
    const other = create({ text: true }, { broker: silent });
    silent.online();
    other.assistant.fall(alarm);
    expect(silent.sent).toHaveLength(0);
  });
});
