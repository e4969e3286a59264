import { z } from "zod";
import { checked } from "../../core/system/checked.ts";
import { createRandom, type Random } from "../../core/system/random.ts";
import type { TextExample } from "../../data/text-example.ts";

const lines = z.array(z.string().min(1)).min(1);

/**
 * Phrasings of intents, by families of like templates: a family belongs to one split as a whole. A template is text with alternatives
 * "(a|b|)" and slots "{name}".
 */
const schema = z.strictObject({
  slots: z.record(z.string(), lines),
  intents: z.record(z.string(), z.array(z.strictObject({ family: z.string(), split: z.enum(["train", "validation"]), phrasings: lines }))),
});

export type PhrasingSplit = "train" | "validation";
export type Phrasings = z.output<typeof schema>;

/** Checks a file of phrasings. Throws ConfigError PHRASINGS_INVALID. */
export function readPhrasings(value: unknown): Phrasings {
  return checked(schema, value, "PHRASINGS_INVALID", "the phrasings are not valid", "Mend the named fields.");
}

/** Different texts of a split's templates, at most `perTemplate` of each, drawn with `seed`. */
export function expandPhrasings({ slots, intents }: Phrasings, split: PhrasingSplit, perTemplate: number, seed: number): TextExample[] {
  const random = createRandom(seed);
  return Object.entries(intents).flatMap(([label, families]) => {
    const texts = families
      .filter((family) => family.split === split)
      .flatMap(({ phrasings }) => phrasings.flatMap((template) => drawn(template, slots, perTemplate, random)));
    return [...new Set(texts)].map((text) => ({ text, label }));
  });
}

function drawn(template: string, slots: Phrasings["slots"], count: number, random: Random): string[] {
  const pick = (options: readonly string[]): string => options[random.integer(options.length)]!;
  return Array.from({ length: count }, () =>
    template
      .replace(/\(([^()]*)\)/g, (_, options: string) => pick(options.split("|")))
      .replace(/\{(\w+)\}/g, (slot, name: string) => (slots[name] === undefined ? slot : pick(slots[name])))
      .replace(/\s+/g, " ")
      .trim(),
  );
}
