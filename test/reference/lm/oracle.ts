import * as lm from "../../../assembly/lm/layout.ts";
import type { Gain, Scale as ImageScale, Matrix } from "../../../host/lm/image-fields.ts";
import type { LanguageImage } from "../../../host/lm/image-read.ts";
import type { DecoderRecord } from "../../../host/lm/image-records.ts";
import { attend, type HeadRing, rotate, toRing } from "./attention.ts";
import { exp2Neg, rotation, sigmoid } from "./curves.ts";
import { clamped, clampTo, mulScale, normalShift, q15, raised, roundShift, type Scale, shifted, within } from "./number.ts";
import { type Block, multiply, norm, type S8Vector, toBlock, toS8 } from "./vector.ts";

const MOST = 2 ** 30 - 1; // of the residual
const LOG2E: Scale = { mantissa: 23637, exponent: -14 };

/** The language core in plain numbers, a ring of `window` positions: assembly/README.md, "The language core". */
export class LmOracle {
  readonly #image: LanguageImage;
  readonly #window: number;
  readonly #rings: HeadRing[][];
  #position = 0;
  #slot = 0;
  #count = 0;
  #x: number[] = [];
  logits: number[] = [];
  logitScale: Scale = { mantissa: 0, exponent: 0 };

  constructor(image: LanguageImage, window: number) {
    this.#image = image;
    this.#window = window;
    const ring = ({ headSize }: DecoderRecord): HeadRing => ({
      keys: Array.from({ length: window }, () => new Array<number>(headSize).fill(0)),
      values: Array.from({ length: window }, () => new Array<number>(headSize).fill(0)),
      keyScales: new Array<number>(window).fill(0),
      valueScales: new Array<number>(window).fill(0),
    });
    this.#rings = image.blocks.map((block) => Array.from({ length: block.nKvHeads }, () => ring(block)));
  }

  /** Starts the count elsewhere: RoPE turns on, past 2^32. */
  startAt(position: number): void {
    this.#position = position;
  }

  step(token: number): void {
    this.#x = this.#embedded(token);
    const angles = rotation(this.#position, this.#image.ropeSteps);
    const n = Math.min(this.#count + 1, this.#window);
    for (const [b, block] of this.#image.blocks.entries()) {
      this.#attention(block, this.#rings[b]!, angles, n);
      this.#feedForward(block);
    }
    this.#head();
    this.#position = (this.#position + 1) >>> 0;
    this.#slot = (this.#slot + 1) % this.#window;
    this.#count = n;
  }

  #embedded(token: number): number[] {
    const { embedding, dModel, residualBits } = this.#image;
    const stride = embedding.weights.length / embedding.nOut;
    const row = embedding.weights.subarray(token * stride, token * stride + dModel);
    const { mantissa, exponent } = embedding.scale;
    return [...row].map((e8) => {
      const e = within("embedding", roundShift(e8 * embedding.rows[token]!, 7), 32767);
      return moved(within("embedding", e * mantissa, 2 ** 30), exponent - 8 + residualBits);
    });
  }

  #normed(gain: Gain): S8Vector {
    return norm(this.#x, gain, this.#image.epsilon);
  }

  #add(input: S8Vector, matrix: Matrix): void {
    const { values, exponent } = toBlock(multiply(input.values, matrix), matrix.rows);
    const scale = raised(mulScale(input.scale, matrix.scale), exponent);
    this.#x = this.#x.map((x, i) => {
      const added = moved(within("a·m", values[i]! * scale.mantissa, 2 ** 30), scale.exponent + this.#image.residualBits);
      return clampTo(within("residual", x + added), MOST);
    });
  }

  #attention(block: DecoderRecord, rings: HeadRing[], angles: ReturnType<typeof rotation>, n: number): void {
    const { nHeads, nKvHeads, headSize, qkv, keyUnit, valueUnit } = block;
    const input = this.#normed(block.attentionGain);
    const [nQ, nKv] = [nHeads * headSize, nKvHeads * headSize];
    const part = (from: number, to: number): Block => toBlock(multiply(input.values, qkv, from, to), qkv.rows.subarray(from, to));
    const [q, k, v] = [part(0, nQ), part(nQ, nQ + nKv), part(nQ + nKv, nQ + 2 * nKv)];
    const headOf = (values: readonly number[], h: number): number[] => values.slice(h * headSize, (h + 1) * headSize);
    const qScale = mulScale(input.scale, qkv.scale);
    const by = (own: ImageScale) => (scale: Scale) => mulScale(scale, mulScale(input.scale, own));
    for (const [h, ring] of rings.entries()) {
      const [key, keyScale] = toRing(rotate(headOf(k.values, h), angles), k.exponent + 1, by(block.k), keyUnit);
      const [value, valueScale] = toRing(headOf(v.values, h), v.exponent, by(block.v), valueUnit);
      ring.keys[this.#slot] = key;
      ring.values[this.#slot] = value;
      ring.keyScales[this.#slot] = keyScale;
      ring.valueScales[this.#slot] = valueScale;
    }
    const mixed = Array.from({ length: nHeads }, (_, h) => {
      const turned = rotate(headOf(q.values, h), angles).map((x) => q15(x, qScale.mantissa));
      return attend(turned, rings[Math.floor((h * nKvHeads) / nHeads)]!, n, q.exponent + qScale.exponent + 16 + keyUnit);
    }).flat();
    const { values, exponent } = toBlock(mixed);
    this.#add(toS8({ values, exponent: exponent + valueUnit - 6 }), block.out);
  }

  #feedForward(block: DecoderRecord): void {
    const { hidden, gateUp } = block;
    const input = this.#normed(block.mlpGain);
    const gate = toBlock(multiply(input.values, gateUp, 0, hidden), gateUp.rows.subarray(0, hidden));
    const up = toBlock(multiply(input.values, gateUp, hidden, 2 * hidden), gateUp.rows.subarray(hidden));
    const gateScale = raised(mulScale(input.scale, gateUp.scale), gate.exponent);
    const upScale = raised(mulScale(input.scale, block.up), up.exponent);
    const { mantissa, exponent } = mulScale(gateScale, LOG2E);
    const s = -(exponent + 11);
    const product = gate.values.map((g, i) => {
      const size = within("|g|·m", Math.abs(g) * mantissa, 2 ** 30);
      const z =
        s >= 0 ? Math.min(roundShift(size, Math.min(s, 31)), 32767) : Math.min(Math.min(size, 32767) * 2 ** Math.min(-s, 15), 32767);
      const sigma = sigmoid(exp2Neg(z));
      return within("h", q15(g, g < 0 ? 32768 - sigma : sigma) * up.values[i]!, 2 ** 30);
    });
    const h = toS8(toBlock(product));
    this.#add({ values: h.values, scale: mulScale(h.scale, mulScale(gateScale, upScale)) }, block.down);
  }

  #head(): void {
    const { head, embedding, gain } = this.#image;
    const matrix = "weights" in head ? head : { ...embedding, scale: head.scale };
    const input = this.#normed(gain);
    const acc = multiply(input.values, matrix);
    const z = normalShift(Math.max(1, ...acc.map(Math.abs)));
    this.logits = acc.map((a, i) =>
      within("logit", clampTo(shifted(a, Math.max(z, 0), Math.max(-z, 0)), 32767) * matrix.rows[i]!, 2 ** 30),
    );
    this.logitScale = raised(mulScale(input.scale, matrix.scale), -z - 15);
  }

  /** The state as the core holds it: what a snapshot carries after its header. */
  state(): Uint8Array {
    const words = Uint32Array.of(this.#position, this.#slot, this.#count, 0);
    const blocks = this.#image.blocks.flatMap(({ headSize }, b) => {
      const rings = this.#rings[b]!;
      const keys = rings.map(({ keys }) => {
        const out = new Int8Array(this.#window * headSize);
        keys.forEach((key, p) => {
          key.forEach((x, i) => {
            out[(p >> 2) * 4 * headSize + (i >> 1) * 8 + (p & 3) * 2 + (i & 1)] = x;
          });
        });
        return out;
      });
      const values = rings.map(({ values }) => {
        const out = new Int8Array(this.#window * headSize);
        values.forEach((value, p) => {
          value.forEach((x, i) => {
            out[(p >> 1) * 2 * headSize + i * 2 + (p & 1)] = x;
          });
        });
        return out;
      });
      const scales = [...rings.map((ring) => ring.keyScales), ...rings.map((ring) => ring.valueScales)].map((own) => Uint16Array.from(own));
      return [...keys, ...values, ...scales];
    });
    const parts = [words, ...blocks].map((part) => Buffer.from(part.buffer));
    within("state words", words.length, lm.LM_STATE_WORDS);
    return new Uint8Array(Buffer.concat(parts));
  }
}

/** value·2^exponent, clamped to ±MOST. */
function moved(value: number, exponent: number): number {
  const right = clamped(-exponent, 0, 31);
  const left = clamped(exponent, 0, 30);
  return clampTo(roundShift(value, right), Math.floor(MOST / 2 ** left)) * 2 ** left;
}
