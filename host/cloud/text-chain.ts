import type { CloudTextAnswer, CloudTextQuery, Provider } from "./provider.ts";

/** Answers text asks, one answer per query, in order. */
export type TextAnswerer = Pick<Required<Provider>, "name" | "answerText">;

/**
 * Each question goes to the next answerer until one says something. The last one's answer stands, refusals included; the intent that an
 * earlier one saw goes with it.
 */
export function chainText(answerers: readonly [TextAnswerer, ...TextAnswerer[]]): TextAnswerer {
  return {
    name: answerers.map(({ name }) => name).join(","),
    async answerText(batch) {
      const answers: CloudTextAnswer[] = new Array(batch.length);
      let open: readonly (readonly [number, CloudTextQuery])[] = [...batch.entries()];
      for (const answerer of answerers) {
        if (open.length === 0) break;
        const given = await answerer.answerText(open.map(([, query]) => query));
        for (const [i, [at]] of open.entries()) answers[at] = withIntent(given[i]!, answers[at]);
        open = open.filter(([at]) => !isSaid(answers[at]!));
      }
      return answers;
    },
  };
}

const isSaid = (answer: CloudTextAnswer): boolean => answer.ok && answer.reply.kind === "say";

function withIntent(answer: CloudTextAnswer, before: CloudTextAnswer | undefined): CloudTextAnswer {
  if (!answer.ok || !before?.ok) return answer;
  const { intent, probability } = before.reply;
  const seen = { ...(intent !== undefined && { intent }), ...(probability !== undefined && { probability }) };
  return { ...answer, reply: { ...seen, ...answer.reply } };
}
