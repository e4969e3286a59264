import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../../host/cloud/openai/read-answer.ts";

const labels = ["still", "walk", "run"];
const json = '{"label":"walk","confidence":0.9}';
const walk = { ok: true, label: 1, confidence: 0.9 };
const read = (text: string, more: { reasoning?: string; finish?: string } = {}) =>
  readAnswer({ text, reasoning: "", finish: "stop", ...more }, labels);

describe("the answer in a reply", () => {
  it.each([
    ["alone", json],
    ["in a code fence", `\`\`\`json\n${json}\n\`\`\``],
    ["between words with braces", `Here {it} is: ${json}. I hope {that} helps.`],
    ["within another object", `{"answer": ${json}}`],
    ["after a draft", `{"label":"run","confidence":0.2} No, rather ${json}`],
    ["after thoughts with JSON in them", `<think>is it {"label":"run","confidence":1}?</think>\n${json}`],
    ["after thoughts whose start the server left out", `perhaps {"label":"run"}</think>${json}`],
    ["after Mistral's thoughts", `[THINK]{"label":"run"}[/THINK]${json}`],
    ["after a channel mark", `<|channel|>analysis<|message|>{"label":"run","confidence":1}<|end|><|channel|>final<|message|>${json}`],
    ["at the end of thoughts that were never closed", `<think>\nThe sway is regular.\n${json}\n`],
    ["with the confidence as text and the label in capitals", '{"label":" WALK ","confidence":"0.9"}'],
  ])("is found %s", (_, text) => expect(read(text)).toEqual(walk));

  it("is found where a server files all of it as reasoning", () => {
    expect(read("", { reasoning: ` ${json}\n` })).toEqual(walk);
    expect(read("", { reasoning: `is it ${json}? I wonder` })).toMatchObject({ ok: false });
  });

  it.each([
    ["unclosed thoughts that were cut", `<think>maybe ${json}`, { finish: "length" }],
    ["unclosed thoughts that go on", `<think>maybe ${json}, or else`, {}],
    ["reasoning alone", "", { reasoning: "hm", finish: "length" }],
    ["no JSON", "walk", {}],
    ["an unknown label", '{"label":"fly","confidence":1}', {}],
    ["no confidence", '{"label":"walk"}', {}],
    ["an empty confidence", '{"label":"walk","confidence":" "}', {}],
  ])("is none: %s", (_, text, more) => expect(read(text, more)).toMatchObject({ ok: false }));

  it("comes from any text without a crash or a long search, and names only labels that were offered", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(fc.constantFrom("{", "}", '"', "label", ":", "<think>", "</think>", json)).map((parts) => parts.join("")),
          fc
            .record({ label: fc.oneof(fc.constantFrom(...labels), fc.string()), confidence: fc.double() })
            .map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const answer = read(text);
          if (answer.ok) {
            expect(labels[answer.label]).toBeDefined();
            expect(answer.confidence).toBeGreaterThanOrEqual(0);
            expect(answer.confidence).toBeLessThanOrEqual(1);
          } else expect(answer.flaw.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1000 },
    );
    expect(read("{".repeat(1_000_000) + "}".repeat(1_000_000))).toMatchObject({ ok: false });
  });
});
