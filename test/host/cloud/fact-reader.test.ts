import { describe, expect, it } from "vitest";
import { createFactReader } from "../../../host/cloud/fact-reader.ts";

const asked = { id: "0".repeat(32), node: "n", agent: "assistant", tick: 0, deadlineAtMillis: 1000, said: [] };
const facts = [
  { name: "how-long", text: "The wearer has been sitting for 20 min." },
  { name: "total-today", text: "Totals of today: walking 34 min." },
];
const replyTo = async (question: string, given = facts) => {
  const [answer] = await createFactReader().answerText([{ ...asked, question, facts: given }]);
  return answer?.ok ? answer.reply : undefined;
};

describe("fact reader", () => {
  it("a question that shares words with a fact → that fact", async () => {
    expect(await replyTo("Would <NAME_1> call these totals healthy?")).toEqual({ kind: "say", text: facts[1]!.text });
    expect(await replyTo("how long did I sit, and was I sitting well?")).toEqual({ kind: "say", text: facts[0]!.text });
  });

  it("no word in common, or no facts → unknown", async () => {
    expect(await replyTo("rain?")).toMatchObject({ kind: "unknown" });
    expect(await replyTo("totals", [])).toMatchObject({ kind: "unknown" });
  });
});
