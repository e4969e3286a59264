import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MqttError } from "../../../../host/core/system/errors.ts";
import { decodeCbor, encodeCbor } from "../../../../host/mqtt/wire/cbor.ts";
import {
  decodePayload,
  encodePayload,
  PAYLOAD_LIMITS,
  type Payload,
  type PayloadKind,
  printable,
  SCHEMA_VERSION,
} from "../../../../host/mqtt/wire/payloads.ts";
import { askFilter, buildTopics, checkName, isName, MAX_NAME_CHARS, parseTopic } from "../../../../host/mqtt/wire/topics.ts";

const kinds = Object.keys(PAYLOAD_LIMITS) as PayloadKind[];
const ask: Payload<"ask"> = {
  v: SCHEMA_VERSION,
  kind: "ask",
  node: "wrist-1",
  agent: "activity",
  wallMillis: 1_700_000_000_123,
  tick: 4_294_967_295,
  imageHash: "0f".repeat(32),
  labels: ["still", "walk"],
  patches: Uint8Array.from({ length: 48 }, (_, i) => i * 5),
  patchBytes: 24,
  windowPatches: 2,
  local: { label: 1, confidenceQ15: 20_000, exit: 2 },
  deadlineMillis: 30_000,
};

const textAsk: Payload<"text-ask"> = {
  ...{ v: SCHEMA_VERSION, kind: "text-ask", node: "wrist-1", agent: "assistant", wallMillis: 1_700_000_000_123, tick: 7 },
  question: "How long did <NAME_1> say that I may sit?\n\u202eאבג",
  facts: [{ name: "sitting_now", text: "You have been sitting for 42 minutes." }],
  said: [{ question: "what am I doing", text: "You are sitting.", by: "device" }],
  deadlineMillis: 30_000,
};
const textAnswer: Payload<"text-answer"> = {
  ...{ v: SCHEMA_VERSION, kind: "text-answer", node: "wrist-1", agent: "assistant", wallMillis: 1, tick: 7, model: "m" },
  reply: { kind: "say", text: "<NAME_1> said an hour.", intent: "sitting_too_long", probability: 0.9 },
};

describe("topics", () => {
  it("gives a node its own prefix and takes topics apart again", () => {
    const topics = buildTopics("home", "wrist-1");
    expect(topics.ask("activity")).toBe("dormouse/v1/home/wrist-1/ask/activity");
    expect(topics.answer).toBe("dormouse/v1/home/wrist-1/answer");
    expect(parseTopic(topics.ask("activity"))).toEqual({ site: "home", node: "wrist-1", kind: "ask", tail: "activity" });
    expect(parseTopic(topics.state)).toEqual({ site: "home", node: "wrist-1", kind: "state", tail: undefined });
    expect(askFilter({ shared: true })).toBe("$share/cloud/dormouse/v1/+/+/ask/+");
    expect(askFilter({ shared: true, group: "g-1" })).toBe("$share/g-1/dormouse/v1/+/+/ask/+");
    expect(() => askFilter({ shared: true, group: "a/#" })).toThrow(expect.objectContaining({ code: "NAME_INVALID" }) as Error);
  });

  it("refuses names that would reach beyond their level", () => {
    for (const name of ["", "a/b", "+", "#", "a#", "a\u0000b", "$SYS", "\ud800", "x".repeat(MAX_NAME_CHARS + 1)]) {
      expect(isName(name), JSON.stringify(name)).toBe(false);
      expect(() => checkName("node", name)).toThrow(MqttError);
    }
    for (const name of ["a", "Küche", "wrist 1", "x".repeat(MAX_NAME_CHARS)]) expect(checkName("node", name)).toBe(name);
  });

  it("reads any string, and only our own topics as such", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom("dormouse/v1", "a", "ask", "state", "+", "", "/", "constructor")).map((parts) => parts.join("/")),
        ),
        (topic) => {
          const parsed = parseTopic(topic);
          if (!parsed) return;
          expect(isName(parsed.site) && isName(parsed.node)).toBe(true);
          expect(topic).toBe(
            ["dormouse/v1", parsed.site, parsed.node, parsed.kind, ...(parsed.tail === undefined ? [] : [parsed.tail])].join("/"),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("payloads", () => {
  it("come back as they were", () => {
    const decoded = decodePayload(["ask"], encodePayload(ask));
    expect(decoded.ok && { ...decoded.value, patches: [...decoded.value.patches] }).toEqual({ ...ask, patches: [...ask.patches] });
    expect(JSON.parse(JSON.stringify(printable(ask)))).toMatchObject({
      patches: Buffer.from(ask.patches).toString("base64"),
      tick: 4_294_967_295,
    });
  });

  it("carry a raw window, features or an exit's activations, each telling less of the wearer", () => {
    const forms: [Partial<Payload<"ask">>, number][] = [
      [{ form: "raw", patchBytes: 48, patches: new Uint8Array(96) }, 96],
      [{ form: "features" }, 48],
      [{ form: "activations", atExit: 2, patchBytes: 64, patches: new Uint8Array(64), windowPatches: 1 }, 64],
    ];
    for (const [change, bytes] of forms) {
      const decoded = decodePayload(["ask"], encodePayload({ ...ask, ...change }));
      expect(decoded).toMatchObject({ ok: true, value: { form: change.form } });
      expect(decoded.ok && decoded.value.patches.length).toBe(bytes);
    }
  });

  it("say which field is wrong", () => {
    const wrong: [Partial<Record<keyof Payload<"ask">, unknown>>, RegExp][] = [
      [{ v: 2 }, /^v: /],
      [{ node: "a/b" }, /^node: /],
      [{ tick: -1 }, /^tick: /],
      [{ tick: 1.5 }, /^tick: /],
      [{ labels: [] }, /^labels: /],
      [{ patches: "text" }, /^patches: /],
      [{ patches: new Uint8Array(47) }, /whole number/],
      [{ patchBytes: 0 }, /^patchBytes: /],
      [{ local: { label: 2, confidenceQ15: 0, exit: 0 } }, /local label/],
      [{ deadlineMillis: 0 }, /^deadlineMillis: /],
      [{ form: "video" }, /^form: /],
      [{ form: "activations" }, /atExit/],
      [{ atExit: 1 }, /atExit/],
      [{ form: "activations", atExit: 8 }, /^atExit: /],
      [{ form: "raw", patchBytes: 3, patches: new Uint8Array(9) }, /int16/],
      [{ kind: "answer" }, /kind is not ask/],
    ];
    for (const [change, reason] of wrong)
      expect(decodePayload(["ask"], encodeCbor({ ...ask, ...change }))).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
    const answer = { v: 1, kind: "answer", node: "n", agent: "a", tick: 0, wallMillis: 1, label: 0, confidence: 0.5, model: "m" };
    for (const confidence of [Number.NaN, 1.01, -0.1, "1"])
      expect(decodePayload(["answer"], encodeCbor({ ...answer, confidence }))).toMatchObject({ ok: false });
    expect(() => encodePayload({ ...ask, deadlineMillis: 0 })).toThrow(MqttError);
  });

  it("carry a question with facts and what was said, and a reply, each as it was", () => {
    expect(decodePayload(["text-ask"], encodePayload(textAsk))).toEqual({ ok: true, value: textAsk });
    expect(decodePayload(["text-answer"], encodePayload(textAnswer))).toEqual({ ok: true, value: textAnswer });
    const most: Payload<"text-ask"> = {
      ...textAsk,
      question: "€".repeat(1000),
      facts: Array.from({ length: 16 }, () => ({ name: "€".repeat(64), text: "€".repeat(200) })),
      said: Array.from({ length: 4 }, () => ({ question: "€".repeat(1000), text: "€".repeat(400), by: "cloud" as const })),
    };
    expect(decodePayload(["text-ask"], encodePayload(most)).ok).toBe(true);
  });

  it("say which field of a text ask or its reply is wrong", () => {
    const [fact, exchange] = [textAsk.facts[0]!, textAsk.said[0]!];
    const wrongAsk: [Partial<Record<keyof Payload<"text-ask">, unknown>>, RegExp][] = [
      [{ question: "" }, /^question: /],
      [{ question: "x".repeat(1001) }, /^question: /],
      [{ question: "a\u0000b" }, /^question: /],
      [{ question: 7 }, /^question: /],
      [{ facts: Array.from({ length: 17 }, () => fact) }, /^facts: /],
      [{ facts: [{ ...fact, text: "x".repeat(201) }] }, /^facts.0.text: /],
      [{ facts: [{ ...fact, text: "\u001b[2J" }] }, /^facts.0.text: /],
      [{ facts: { name: "a" } }, /^facts: /],
      [{ said: [{ ...exchange, by: "operator" }] }, /^said.0.by: /],
      [{ said: Array.from({ length: 5 }, () => exchange) }, /^said: /],
      [{ deadlineMillis: 86_400_001 }, /^deadlineMillis: /],
    ];
    for (const [change, reason] of wrongAsk)
      expect(decodePayload(["text-ask"], encodeCbor({ ...textAsk, ...change }))).toMatchObject({
        ok: false,
        reason: expect.stringMatching(reason),
      });
    const wrongReply: [unknown, RegExp][] = [
      [null, /^reply: /],
      [{ kind: "command", text: "unlock the door" }, /^reply.kind: /],
      [{ kind: "say" }, /^reply.text: /],
      [{ kind: "say", text: "x".repeat(401) }, /^reply.text: /],
      [{ kind: "say", text: "\u0007" }, /^reply.text: /],
      [{ kind: "say", text: "x", probability: 2 }, /^reply.probability: /],
    ];
    for (const [reply, reason] of wrongReply)
      expect(decodePayload(["text-answer"], encodeCbor({ ...textAnswer, reply }))).toMatchObject({
        ok: false,
        reason: expect.stringMatching(reason),
      });
    expect(() => encodePayload({ ...textAsk, question: "\ud800" })).not.toThrow(); // CBOR writes U+FFFD for it
  });

  it("are refused above their size before a byte is decoded", () => {
    const event = (chars: number) =>
      encodeCbor({ v: 1, kind: "event", node: "n", agent: "a", wallMillis: 1, data: { text: "x".repeat(chars) } });
    expect(decodePayload(["event"], event(PAYLOAD_LIMITS.event))).toMatchObject({ ok: false, reason: expect.stringContaining("limit") });
    expect(decodePayload(["event"], event(3000))).toMatchObject({ ok: true });
    expect(decodePayload(["ask", "event"], event(PAYLOAD_LIMITS.event))).toMatchObject({
      ok: false,
      reason: expect.stringContaining("limit"),
    });
  });

  it("accept no tag, no indefinite length, no depth and no crowd that a decoder could choke on", () => {
    const hostile: Record<string, number[]> = {
      tag: [0xa1, 0x61, 0x61, 0xc1, 0x00],
      record: [0xa1, 0x61, 0x61, 0xd9, 0xdf, 0xff, 0x83, 0x19, 0x04, 0x00, 0x81, 0x61, 0x61, 0x01],
      indefinite: [0xbf, 0xff],
      hugeMap: [0xba, 0xff, 0xff, 0xff, 0xff],
      hugeText: [0xa1, 0x61, 0x61, 0x7b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      numberKey: [0xa1, 0x01, 0x01],
      undefinedValue: [0xa1, 0x61, 0x61, 0xf7],
      deep: [0xa1, 0x61, 0x61, ...Array.from({ length: 40 }, () => 0x81), 0x00],
      trailing: [0xa0, 0x00],
      crowd: [0xa1, 0x61, 0x61, 0x99, 0x20, 0x00, ...Array.from({ length: 0x2000 }, () => 0x00)],
    };
    for (const [name, bytes] of Object.entries(hostile)) expect(decodeCbor(Uint8Array.from(bytes), 100_000).ok, name).toBe(false);
    const proto = decodeCbor(encodeCbor(JSON.parse('{"__proto__": {"isAdmin": true}}')), 1000);
    expect(proto.ok && (proto.value as { isAdmin?: boolean }).isAdmin).toBeFalsy();
  });

  it.each([ask, textAsk, textAnswer])("turn any bytes into a value, quickly: $kind", (whole) => {
    const encoded = encodePayload(whole);
    const mutated = fc
      .tuple(fc.array(fc.tuple(fc.nat(encoded.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), fc.nat(encoded.length))
      .map(([flips, cut]) => {
        const bytes = Uint8Array.from(encoded);
        for (const [at, value] of flips) bytes[at] = value;
        return cut < encoded.length / 4 ? bytes.subarray(0, cut * 4) : bytes;
      });
    const framed = fc
      .dictionary(
        fc.constantFrom(...Object.keys(whole)),
        fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.double(), fc.uint8Array(), fc.constant(null), fc.array(fc.string())),
      )
      .map(encodeCbor);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated, framed), fc.subarray(kinds, { minLength: 1 }), (bytes, some) => {
        const result = decodePayload(some, bytes);
        if (!result.ok) expect(result.reason.length).toBeGreaterThan(0);
        else expect(() => JSON.stringify(printable(result.value))).not.toThrow();
      }),
      { numRuns: 5000 },
    );
  });
});
