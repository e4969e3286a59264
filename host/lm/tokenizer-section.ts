import { ModelError } from "../core/system/errors.ts";
import { splitRules, type TokenizerData, type TokenKind, tokenKinds } from "./checkpoint.ts";

/*
 * TOKENIZER section of a language image, little-endian: version, alphabet, merges by, split, flags, number of ends (u8 each), 0 (u16), tokens,
 * number of pairs, bos (u32 each); ends (u32 each); kind (u8) and length (u16) of every token; their bytes; scores (f32) or pairs (2 × u32).
 */
const version = 1;
const headerBytes = 20;
const pieceMaxBytes = 65_535;
const alphabets = ["characters", "bytes"] as const;
const orders = ["score", "rank"] as const;
const flags = { hasSpacePrefix: 1, keepsWholePieces: 2, hasBos: 4 };

/** The bytes of a tokenizer in an image. Throws TOKENIZER_TOO_LONG for a token of more than 65,535 bytes. */
export function encodeTokenizer(data: TokenizerData): Uint8Array {
  const { merges, pieces } = data;
  const longest = Math.max(0, ...pieces.map((piece) => piece.length));
  if (longest > pieceMaxBytes || data.eos.length > 255)
    throw new ModelError(
      "TOKENIZER_TOO_LONG",
      `a token of ${longest} bytes; at most ${pieceMaxBytes} fit an image. Shorten the vocabulary.`,
    );
  const pairs = merges.by === "rank" ? merges.pairs.length / 2 : 0;
  const pieceBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const mergeBytes = merges.by === "rank" ? 8 * pairs : 4 * pieces.length;
  const bytes = new Uint8Array(headerBytes + 4 * data.eos.length + 3 * pieces.length + pieceBytes + mergeBytes);
  const view = new DataView(bytes.buffer);
  const flagBits =
    (data.hasSpacePrefix ? flags.hasSpacePrefix : 0) |
    (data.keepsWholePieces ? flags.keepsWholePieces : 0) |
    (data.bos === undefined ? 0 : flags.hasBos);
  const small = [
    version,
    alphabets.indexOf(data.alphabet),
    orders.indexOf(merges.by),
    splitRules.indexOf(data.split),
    flagBits,
    data.eos.length,
  ];
  bytes.set(small);
  view.setUint32(8, pieces.length, true);
  view.setUint32(12, pairs, true);
  view.setUint32(16, data.bos ?? 0, true);
  let at = headerBytes;
  for (const id of data.eos) at = put(view, at, id);
  pieces.forEach((piece, id) => {
    view.setUint8(at, tokenKinds.indexOf(data.kinds[id]!));
    view.setUint16(at + 1, piece.length, true);
    at += 3;
  });
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  if (merges.by === "rank") for (const id of merges.pairs) at = put(view, at, id);
  else
    for (const score of merges.scores) {
      view.setFloat32(at, score, true);
      at += 4;
    }
  return bytes;
}

function put(view: DataView, at: number, word: number): number {
  view.setUint32(at, word, true);
  return at + 4;
}

/** Reads what `encodeTokenizer` wrote. Throws BAD_TOKENIZER; nothing is allocated by a number in the bytes before they are that long. */
export function decodeTokenizer(bytes: Uint8Array): TokenizerData {
  const bad = (what: string): ModelError => new ModelError("BAD_TOKENIZER", `tokenizer section: ${what}. Import the model again.`);
  const need = (end: number): void => {
    if (end > bytes.length) throw bad(`${bytes.length} bytes, ${end} expected`);
  };
  need(headerBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== version) throw bad(`version ${bytes[0]}, ${version} expected`);
  const [alphabet, by, split] = [alphabets[bytes[1]!], orders[bytes[2]!], splitRules[bytes[3]!]];
  if (alphabet === undefined || by === undefined || split === undefined) throw bad("an alphabet, order or split that is unknown");
  const [count, pairs, bos] = [view.getUint32(8, true), view.getUint32(12, true), view.getUint32(16, true)];
  const hasBos = (bytes[4]! & flags.hasBos) !== 0;
  let at = headerBytes;
  const words = (length: number): Uint32Array => {
    need(at + 4 * length);
    const read = Uint32Array.from({ length }, (_, i) => view.getUint32(at + 4 * i, true));
    at += 4 * length;
    return read;
  };
  const eos = [...words(bytes[5]!)];
  need(at + 3 * count);
  const tableAt = at;
  at += 3 * count;
  const kinds: TokenKind[] = [];
  const pieces: Uint8Array[] = [];
  for (let id = 0; id < count; id++) {
    const kind = tokenKinds[bytes[tableAt + 3 * id]!];
    const length = view.getUint16(tableAt + 3 * id + 1, true);
    if (kind === undefined) throw bad(`token ${id} is of kind ${bytes[tableAt + 3 * id]}`);
    if (kind === "byte" && length !== 1) throw bad(`byte token ${id} has ${length} bytes`);
    need(at + length);
    kinds.push(kind);
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  const ids = by === "rank" ? words(2 * pairs) : new Uint32Array(0);
  if ([...eos, ...(hasBos ? [bos] : [])].some((id) => id >= count) || ids.some((id) => id >= count)) throw bad(`an id above ${count - 1}`);
  const scores = by === "score" ? new Float32Array(words(count).buffer) : new Float32Array(0);
  if (!scores.every(Number.isFinite)) throw bad("a score that is no finite number");
  if (at !== bytes.length) throw bad(`${bytes.length} bytes, ${at} expected`);
  return {
    alphabet,
    pieces,
    kinds,
    merges: by === "rank" ? { by, pairs: ids } : { by, scores },
    split,
    keepsWholePieces: (bytes[4]! & flags.keepsWholePieces) !== 0,
    hasSpacePrefix: (bytes[4]! & flags.hasSpacePrefix) !== 0,
    bos: hasBos ? bos : undefined,
    eos,
  };
}
