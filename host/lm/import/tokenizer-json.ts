import { z } from "zod";
import type { SplitRule, TokenizerData, TokenKind } from "../checkpoint.ts";
import { readJsonFile } from "./json-file.ts";
import type { LlamaConfig } from "./llama-config.ts";
import { checkTokenizer, mergeIds, pieceBytes, tokenizerError } from "./token-tables.ts";

const step = z.looseObject({ type: z.string() });
const schema = z.looseObject({
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.record(z.string(), z.int().nonnegative()),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
    unk_token: z.string().nullish(),
  }),
  added_tokens: z.array(z.looseObject({ id: z.int().nonnegative(), content: z.string(), special: z.boolean() })).default([]),
  normalizer: step.nullish(),
  pre_tokenizer: step.nullish(),
  post_processor: step.nullish(),
});
type TokenizerJson = z.output<typeof schema>;
type Step = z.output<typeof step>;

/** Llama 3's pattern as its tokenizer.json spells it. */
const llama3Pattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Reads a byte-pair tokenizer.json: bytes as GPT-2 and Llama 3 have them, or characters with byte fallback as Llama 2. */
export function readTokenizerJson(path: string, { shape, eos }: LlamaConfig): TokenizerData {
  const parsed = schema.safeParse(readJsonFile(path, "TOKENIZER_FORMAT"));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw tokenizerError(path, `${issue?.path.join(".")}: ${issue?.message}`);
  }
  const json = parsed.data;
  if ((json.model.type ?? "BPE") !== "BPE") throw tokenizerError(path, `a model of type ${json.model.type}; BPE expected`);
  const alphabet = steps(json.pre_tokenizer).some(({ type }) => type === "ByteLevel") ? "bytes" : "characters";
  const { texts, kinds } = tokensOf(path, json, alphabet, shape.vocab);
  const ids = new Map(Object.entries(json.model.vocab));
  const split = alphabet === "bytes" ? splitOf(path, json) : "none";
  const data: TokenizerData = {
    alphabet,
    pieces: texts.map((text, id) => pieceBytes(path, text, kinds[id]!, alphabet)),
    kinds,
    merges: { by: "rank", pairs: mergeIds(path, json.model.merges, ids) },
    split,
    keepsWholePieces: json.model.ignore_merges === true,
    hasSpacePrefix: alphabet === "characters" && prefixesSpace(path, json),
    bos: firstSpecial(json.post_processor),
    eos,
  };
  return checkTokenizer(path, data, shape.vocab);
}

/** Every token's text and kind; an id that no token has is a control token without text, since checkpoints are padded. */
function tokensOf(
  path: string,
  json: TokenizerJson,
  alphabet: TokenizerData["alphabet"],
  vocab: number,
): { texts: string[]; kinds: TokenKind[] } {
  const texts = Array<string>(vocab).fill("");
  const kinds = Array<TokenKind>(vocab).fill("control");
  const put = (id: number, text: string, kind: TokenKind): void => {
    if (id >= vocab)
      throw tokenizerError(path, `token ${id}, ${JSON.stringify(text)}; the checkpoint has ${vocab} tokens`, "TOKENIZER_VOCAB");
    texts[id] = text;
    kinds[id] = kind;
  };
  const hasBytes = json.model.byte_fallback === true;
  for (const [text, id] of Object.entries(json.model.vocab)) {
    const isByte = alphabet === "characters" && hasBytes && /^<0x[0-9A-Fa-f]{2}>$/.test(text);
    put(id, text, isByte ? "byte" : text === json.model.unk_token ? "unknown" : "normal");
  }
  for (const { id, content, special } of json.added_tokens)
    put(id, content, special ? (content === json.model.unk_token ? "unknown" : "control") : "userDefined");
  const named = kinds.filter((kind, id) => kind !== "control" || texts[id] !== "").length;
  if (2 * named < vocab) throw tokenizerError(path, `${named} tokens; the checkpoint has ${vocab}`, "TOKENIZER_VOCAB");
  return { texts, kinds };
}

/** A step and, if it is a sequence, the steps in it. */
function steps(first: Step | null | undefined): Step[] {
  if (first === null || first === undefined) return [];
  const inner = z.array(step).safeParse(first.normalizers ?? first.pretokenizers ?? first.processors);
  return first.type === "Sequence" ? (inner.data ?? []) : [first];
}

function splitOf(path: string, json: TokenizerJson): SplitRule {
  const other = (what: string): Error => tokenizerError(path, `${what}; GPT-2's or Llama 3's pattern expected`, "TOKENIZER_SPLIT");
  if (steps(json.normalizer).length > 0) throw other(`normalizer ${steps(json.normalizer)[0]!.type}`);
  let split: SplitRule = "none";
  for (const one of steps(json.pre_tokenizer)) {
    const pattern = z.object({ Regex: z.string() }).safeParse(one.pattern).data?.Regex;
    if (one.add_prefix_space === true) throw other("a space before the text");
    if (one.type === "Split" && pattern === llama3Pattern) split = "llama3";
    else if (one.type === "ByteLevel") split = one.use_regex === false ? split : "gpt2";
    else throw other(`pre-tokenizer ${one.type}${pattern === undefined ? "" : ` ${pattern.slice(0, 60)}`}`);
  }
  if (split === "none") throw other("no pattern");
  return split;
}

/** Whether spaces become ▁ with one before the text. Throws TOKENIZER_SPLIT for anything else than Llama 2's steps. */
function prefixesSpace(path: string, json: TokenizerJson): boolean {
  let prefixes = false;
  let replaces = false;
  for (const one of [...steps(json.normalizer), ...steps(json.pre_tokenizer)]) {
    if (one.type === "Prepend" && one.prepend === "▁") prefixes = true;
    else if (one.type === "Replace" && one.content === "▁") replaces = true;
    else if (one.type === "Metaspace" && one.replacement === "▁" && one.split !== true) {
      replaces = true;
      prefixes = one.prepend_scheme !== "never";
    } else throw tokenizerError(path, `step ${one.type}; Prepend, Replace or Metaspace with ▁ expected`, "TOKENIZER_SPLIT");
  }
  if (!replaces) throw tokenizerError(path, "spaces stay as they are; ▁ expected", "TOKENIZER_SPLIT");
  return prefixes;
}

/** The token that the post-processor's template puts before a single text. */
function firstSpecial(processor: Step | null | undefined): number | undefined {
  const template = steps(processor).find(({ type }) => type === "TemplateProcessing");
  const parsed = z
    .object({
      single: z.array(z.object({ SpecialToken: z.object({ id: z.string() }).optional() })),
      special_tokens: z.record(z.string(), z.object({ ids: z.array(z.int().nonnegative()) })),
    })
    .safeParse(template);
  const first = parsed.data?.single[0]?.SpecialToken?.id;
  return first === undefined ? undefined : parsed.data?.special_tokens[first]?.ids[0];
}
