import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type MatrixName, matrixSize } from "../../../host/lm/checkpoint.ts";
import { CheckpointError } from "../../../host/lm/import/checkpoint-error.ts";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { encodeElements } from "../../support/encode-elements.ts";
import { llamaGguf, llamaMetadata, llamaTensors } from "../../support/llama-gguf.ts";
import { llamaConfig, llamaEntries, safetensorsBytes, tokenizerJson } from "../../support/llama-safetensors.ts";
import { llama2cTokenizer, llama2cVersion0, llama2cVersion2 } from "../../support/llama2c-files.ts";
import { seeded } from "../../support/random.ts";
import { randomLlama } from "../../support/random-llama.ts";
import { rankedTokenizer } from "../../support/small-tokenizers.ts";
import { type GgufTensor, type GgufValue, writeGguf } from "../../support/write-gguf.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-bad-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model = randomLlama({
  seed: 5,
  dim: 32,
  hidden: 32,
  heads: 2,
  kvHeads: 1,
  headSize: 16,
  vocab: 300,
  context: 16,
  layers: 1,
  tiedHead: true,
});
const ranked = { ...model, tokenizer: rankedTokenizer(300) };
const path = join(folder, "model");
const tokenizer = join(folder, "tokenizer");
const config = join(folder, "config.json");
const tokenizerFile = join(folder, "tokenizer.json");
writeFileSync(tokenizer, llama2cTokenizer(model.tokenizer));
writeFileSync(config, JSON.stringify(llamaConfig(ranked)));
writeFileSync(tokenizerFile, JSON.stringify(tokenizerJson(ranked.tokenizer)));

/** Opens a file and reads every weight; "read" or the code of the error. Anything but a CheckpointError with the path in it fails. */
function outcome(bytes: Uint8Array, options: { tokenizer?: string } = {}): string {
  writeFileSync(path, bytes);
  try {
    const { checkpoint } = openCheckpoint(path, options);
    try {
      const parts = (["q", "k", "v", "o", "gate", "up", "down"] as const).map((part) => ({ layer: 0, part }));
      for (const name of ["embedding", "head", ...parts] satisfies MatrixName[])
        checkpoint.rows(name, 0, matrixSize(checkpoint.shape, name).rows);
      for (const name of ["final", { layer: 0, part: "attention" }, { layer: 0, part: "feedForward" }] as const) checkpoint.gain(name);
    } finally {
      checkpoint.close();
    }
    return "read";
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as CheckpointError).exitCode).toBe(2);
    expect((error as CheckpointError).message).toContain(folder);
    return (error as CheckpointError).code;
  }
}

const ggufWith = (metadata: Record<string, GgufValue>, tensors: (tensors: GgufTensor[]) => GgufTensor[] = (same) => same): Uint8Array =>
  writeGguf({ ...llamaMetadata(model), ...metadata }, tensors(llamaTensors(model.checkpoint, () => "F32")));
const gguf = llamaGguf(model, (name) => (name.includes("ffn") ? "Q8_0" : "F16"));
const entries = llamaEntries(ranked, "F32");
const files = {
  "llama2.c version 0": { bytes: llama2cVersion0(model), options: { tokenizer } },
  "llama2.c version 2": { bytes: llama2cVersion2(model, 32), options: { tokenizer } },
  GGUF: { bytes: gguf, options: {} },
  safetensors: { bytes: safetensorsBytes(entries), options: {} },
};

describe.each(Object.entries(files))("%s", (_, { bytes, options }) => {
  it("is read whole", () => expect(outcome(bytes, options)).toBe("read"));

  it("cut anywhere, is refused", () => {
    const cuts = [
      0,
      1,
      3,
      4,
      5,
      8,
      9,
      27,
      28,
      29,
      255,
      256,
      257,
      ...Array.from({ length: 40 }, (_, i) => Math.floor((i * bytes.length) / 40)),
    ];
    for (const cut of cuts.filter((at) => at < bytes.length)) expect(outcome(bytes.subarray(0, cut), options)).not.toBe("read");
  });

  it("with bytes changed, is refused by a code or read; nothing else is thrown", () => {
    const random = seeded(11);
    const count = Number(process.env.DORMOUSE_FUZZ ?? 250);
    const headerBytes = Math.min(bytes.length, 12_000);
    for (let i = 0; i < count; i++) {
      const changed = bytes.slice();
      for (let n = 0; n <= 3 * random(); n++) {
        const at = Math.floor(random() * (random() < 0.8 ? headerBytes : bytes.length));
        changed[at] = random() < 0.3 ? 255 * Math.round(random()) : Math.floor(256 * random());
      }
      outcome(changed, options);
    }
  });
});

describe("llama2.c", () => {
  const words = (change: (words: Int32Array) => void): Uint8Array => {
    const bytes = llama2cVersion0(model).slice();
    change(new Int32Array(bytes.buffer, 0, 7));
    return bytes;
  };
  it.each([
    ["big-endian", words((w) => w.set(w.map(turned))), "CHECKPOINT_BYTE_ORDER"],
    ["heads that do not divide dim", words((w) => w.set([3], 3)), "CHECKPOINT_SHAPE"],
    ["key heads that do not divide heads", words((w) => w.set([4, 3], 3)), "CHECKPOINT_SHAPE"],
    ["2^31 − 1 layers", words((w) => w.set([2 ** 31 - 1], 2)), "CHECKPOINT_SHAPE"],
    ["a layer more than the file has", words((w) => w.set([2], 2)), "CHECKPOINT_SHORT"],
    ["a negative dim", words((w) => w.set([-32], 0)), "CHECKPOINT_SHAPE"],
    ["a byte too many", Buffer.concat([llama2cVersion0(model), Uint8Array.of(0)]), "CHECKPOINT_FORMAT"],
    ["version 3", withWord(llama2cVersion2(model, 32), 4, 3), "CHECKPOINT_FORMAT"],
    ["groups of 0", withWord(llama2cVersion2(model, 32), 37, 0), "CHECKPOINT_SHAPE"],
    ["NaN in a weight", withFloat(llama2cVersion0(model), 28 + 4 * 40, Number.NaN), "CHECKPOINT_NOT_FINITE"],
    ["infinity in a weight", withFloat(llama2cVersion0(model), 28 + 4 * 40, Number.NEGATIVE_INFINITY), "CHECKPOINT_NOT_FINITE"],
  ])("%s → a code", (_, bytes, code) => expect(outcome(bytes, { tokenizer })).toBe(code));

  it("a tokenizer of another size → TOKENIZER_VOCAB", () => {
    const other = join(folder, "other");
    for (const vocab of [299, 301]) {
      writeFileSync(other, llama2cTokenizer(randomLlama({ seed: 1, vocab }).tokenizer));
      expect(outcome(llama2cVersion0(model), { tokenizer: other })).toBe("TOKENIZER_VOCAB");
    }
  });

  it("a token of 2^31 − 1 bytes → TOKENIZER_VOCAB", () => {
    const other = join(folder, "long");
    writeFileSync(other, withWord(llama2cTokenizer(model.tokenizer), 8, 2 ** 31 - 1));
    expect(outcome(llama2cVersion0(model), { tokenizer: other })).toBe("TOKENIZER_VOCAB");
  });

  it("no tokenizer → TOKENIZER_MISSING", () => expect(outcome(llama2cVersion0(model))).toBe("TOKENIZER_MISSING"));
});

describe("GGUF", () => {
  const tensorAt = (bytes: Uint8Array, name: string): number => Buffer.from(bytes).indexOf(name) + name.length;
  it.each([
    ["big-endian", withWord(gguf, 4, 0x03000000), "CHECKPOINT_BYTE_ORDER"],
    ["version 9", withWord(gguf, 4, 9), "CHECKPOINT_FORMAT"],
    ["200 GB of tensors", withLong(gguf, 8, 200e9), "CHECKPOINT_SHORT"],
    ["200 GB of metadata", withLong(gguf, 16, 200e9), "CHECKPOINT_SHORT"],
    ["a key of 200 GB", withLong(gguf, 24, 200e9), "CHECKPOINT_SHORT"],
    ["a tensor missing", ggufWith({}, (all) => all.filter(({ name }) => name !== "blk.0.attn_v.weight")), "CHECKPOINT_TENSOR_MISSING"],
    [
      "a tensor turned on its side",
      ggufWith({}, (all) =>
        all.map((one) => (one.name === "blk.0.attn_v.weight" ? { ...one, rows: one.columns, columns: one.rows! } : one)),
      ),
      "CHECKPOINT_TENSOR_SHAPE",
    ],
    ["a tensor that no Llama has", ggufWith({}, (all) => [...all, { ...all[0]!, name: "blk.0.attn_q.bias" }]), "CHECKPOINT_TENSOR_UNKNOWN"],
    ["a tensor twice", ggufWith({}, (all) => [...all, all[0]!]), "CHECKPOINT_HEADER"],
    ["type Q4_K", withWord(gguf, tensorAt(gguf, "blk.0.attn_q.weight") + 4 + 16, 12), "CHECKPOINT_TENSOR_TYPE"],
    ["a type that ggml lacks", withWord(gguf, tensorAt(gguf, "blk.0.attn_q.weight") + 4 + 16, 99), "CHECKPOINT_TENSOR_TYPE"],
    ["5 dimensions", withWord(gguf, tensorAt(gguf, "blk.0.attn_q.weight"), 5), "CHECKPOINT_TENSOR_SHAPE"],
    ["two tensors at one place", withLong(gguf, tensorAt(gguf, "blk.0.attn_q.weight") + 4 + 16 + 4, 0), "CHECKPOINT_OVERLAP"],
    ["a tensor behind the end", withLong(gguf, tensorAt(gguf, "blk.0.attn_q.weight") + 4 + 16 + 4, 3.2e10), "CHECKPOINT_SHORT"],
    ["another architecture", ggufWith({ "general.architecture": { string: "mamba" } }), "CHECKPOINT_ARCHITECTURE"],
    ["heads that do not divide", ggufWith({ "llama.attention.head_count_kv": { u32: 3 } }), "CHECKPOINT_SHAPE"],
    ["experts", ggufWith({ "llama.expert_count": { u32: 8 } }), "CHECKPOINT_ARCHITECTURE"],
    ["yarn", ggufWith({ "llama.rope.scaling.type": { string: "yarn" } }), "CHECKPOINT_ROPE"],
    [
      "frequency factors",
      ggufWith({}, (all) => [...all, { name: "rope_freqs.weight", type: "F32", columns: 8, values: new Float32Array(8).fill(1) }]),
      "CHECKPOINT_ROPE",
    ],
    ["half a head turned", ggufWith({ "llama.rope.dimension_count": { u32: 8 } }), "CHECKPOINT_ROPE"],
    ["a dim of text", ggufWith({ "llama.embedding_length": { string: "32" } }), "CHECKPOINT_HEADER"],
    ["a token fewer", ggufWith({ "tokenizer.ggml.tokens": { strings: ["<unk>"] } }), "TOKENIZER_VOCAB"],
    ["a score fewer", ggufWith({ "tokenizer.ggml.scores": { f32s: [0] } }), "TOKENIZER_VOCAB"],
    ["a score that is NaN", ggufWith({ "tokenizer.ggml.scores": { f32s: Array(300).fill(Number.NaN) } }), "TOKENIZER_VOCAB"],
    ["a token that ends texts and is none", ggufWith({ "tokenizer.ggml.eos_token_id": { u32: 300 } }), "TOKENIZER_VOCAB"],
    ["a word-piece tokenizer", ggufWith({ "tokenizer.ggml.model": { string: "bert" } }), "TOKENIZER_FORMAT"],
    [
      "a pre-tokenizer of its own",
      ggufWith({ "tokenizer.ggml.model": { string: "gpt2" }, "tokenizer.ggml.pre": { string: "qwen2" } }),
      "TOKENIZER_SPLIT",
    ],
  ])("%s → a code", (_, bytes, code) => expect(outcome(bytes)).toBe(code));

  it("infinity in a weight of each type → CHECKPOINT_NOT_FINITE", () => {
    for (const type of ["F32", "F16", "BF16", "Q8_0", "Q4_0"] as const) {
      const values = new Float32Array(32 * 32).fill(Number.POSITIVE_INFINITY);
      const bytes = ggufWith({}, (all) => all.map((one) => (one.name === "blk.0.attn_q.weight" ? { ...one, type, values } : one)));
      expect(outcome(bytes)).toBe("CHECKPOINT_NOT_FINITE");
    }
  });
});

describe("safetensors", () => {
  const change = (name: string, how: (entry: (typeof entries)[number]) => (typeof entries)[number] | undefined): Uint8Array =>
    safetensorsBytes(entries.flatMap((one) => (one.name.endsWith(name) ? (how(one) ?? []) : one)));
  const header = (text: string): Uint8Array => Buffer.concat([withLong(new Uint8Array(8), 0, text.length), Buffer.from(text)]);
  it.each([
    ["a header of 200 GB", withLong(safetensorsBytes(entries), 0, 4e9), "CHECKPOINT_HEADER"],
    ["a header that is longer than the file", withLong(safetensorsBytes(entries), 0, 90_000_000), "CHECKPOINT_SHORT"],
    ["a header that is no JSON", header("{]"), "CHECKPOINT_HEADER"],
    ["a tensor missing", change("v_proj.weight", () => undefined), "CHECKPOINT_TENSOR_MISSING"],
    ["a tensor misshapen", change("v_proj.weight", (one) => ({ ...one, shape: [32, 16] })), "CHECKPOINT_TENSOR_SHAPE"],
    ["a size that its bytes do not have", change("v_proj.weight", (one) => ({ ...one, shape: [16, 200e9] })), "CHECKPOINT_TENSOR_SHAPE"],
    ["an unknown type", change("v_proj.weight", (one) => ({ ...one, dtype: "I64" as "F32" })), "CHECKPOINT_TENSOR_TYPE"],
    ["a bias", change("v_proj.weight", (one) => ({ ...one, name: `${one.name}.bias` })), "CHECKPOINT_TENSOR_MISSING"],
    [
      "NaN",
      change("v_proj.weight", (one) => ({ ...one, bytes: encodeElements("F32", new Float32Array(16 * 32).fill(Number.NaN)) })),
      "CHECKPOINT_NOT_FINITE",
    ],
    [
      "two tensors at one place",
      Buffer.concat([header(JSON.stringify({ a: entryAt(0, 8), b: entryAt(4, 12) })), new Uint8Array(12)]),
      "CHECKPOINT_OVERLAP",
    ],
  ])("%s → a code", (_, bytes, code) => expect(outcome(bytes)).toBe(code));

  it.each([
    [{ model_type: "mistral" }, "CHECKPOINT_ARCHITECTURE"],
    [{ attention_bias: true }, "CHECKPOINT_ARCHITECTURE"],
    [{ hidden_act: "gelu" }, "CHECKPOINT_ARCHITECTURE"],
    [{ rope_scaling: { rope_type: "llama3", factor: 8 } }, "CHECKPOINT_ROPE"],
    [{ rope_parameters: { rope_type: "yarn", rope_theta: 1e4 } }, "CHECKPOINT_ROPE"],
    [{ num_attention_heads: 3, head_dim: null }, "CHECKPOINT_SHAPE"],
    [{ num_key_value_heads: 3 }, "CHECKPOINT_SHAPE"],
    [{ hidden_size: "32" }, "CHECKPOINT_CONFIG"],
    [{ hidden_size: 200e9 }, "CHECKPOINT_SHAPE"],
    [{ vocab_size: 299 }, "CHECKPOINT_TENSOR_SHAPE"],
    [{ eos_token_id: 300 }, "TOKENIZER_VOCAB"],
  ])("config.json with %j → %s", (changed, code) => {
    writeFileSync(config, JSON.stringify({ ...llamaConfig(ranked), ...changed }));
    const found = outcome(safetensorsBytes(entries));
    writeFileSync(config, JSON.stringify(llamaConfig(ranked)));
    expect(found).toBe(code);
  });

  it.each([
    ["another model", { model: { type: "Unigram", vocab: {}, merges: [] } }, "TOKENIZER_FORMAT"],
    ["a merge of nothing", { model: { ...(tokenizerJson(ranked.tokenizer).model as object), merges: ["zzz zzz"] } }, "TOKENIZER_MERGES"],
    ["a normalizer", { normalizer: { type: "NFC" } }, "TOKENIZER_SPLIT"],
    [
      "another pattern",
      { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: "x" } }, { type: "ByteLevel" }] } },
      "TOKENIZER_SPLIT",
    ],
    ["no vocabulary", { model: {} }, "TOKENIZER_FORMAT"],
    ["an added token of 2^40", { added_tokens: [{ id: 2 ** 40, content: "x", special: true }] }, "TOKENIZER_VOCAB"],
  ])("tokenizer.json with %s → a code", (_, changed, code) => {
    writeFileSync(tokenizerFile, JSON.stringify({ ...tokenizerJson(ranked.tokenizer), ...changed }));
    const found = outcome(safetensorsBytes(entries));
    writeFileSync(tokenizerFile, JSON.stringify(tokenizerJson(ranked.tokenizer)));
    expect(found).toBe(code);
  });

  it("no config.json beside it → CHECKPOINT_UNREADABLE", () => {
    const alone = join(folder, "alone");
    mkdirSync(alone);
    writeFileSync(join(alone, "model.safetensors"), safetensorsBytes(entries));
    expect(() => openCheckpoint(join(alone, "model.safetensors"))).toThrowError(expect.objectContaining({ code: "CHECKPOINT_UNREADABLE" }));
  });
});

it.each(["/dev/zero", folder, join(folder, "nowhere")])("%s → CHECKPOINT_UNREADABLE", (name) => {
  expect(() => openCheckpoint(name)).toThrowError(expect.objectContaining({ code: "CHECKPOINT_UNREADABLE", exitCode: 2 }));
});

function entryAt(from: number, to: number): object {
  return { dtype: "F32", shape: [2], data_offsets: [from, to] };
}

function turned(word: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setInt32(0, word, true);
  return view.getInt32(0, false);
}

function withWord(bytes: Uint8Array, at: number, word: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  new DataView(changed.buffer).setUint32(at, word, true);
  return changed;
}

function withLong(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  new DataView(changed.buffer).setBigUint64(at, BigInt(value), true);
  return changed;
}

function withFloat(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  new DataView(changed.buffer).setFloat32(at, value, true);
  return changed;
}
