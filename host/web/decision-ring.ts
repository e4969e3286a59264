import type { DecisionRow, RingColumns } from "./messages.ts";
import { POWER_PARTS } from "./messages.ts";

/** Different reasons that a ring tells apart; later ones are shown as the last. */
const MOST_REASONS = 512;

/**
 * The last decisions in typed columns: a fixed amount of memory, whatever a run does. The server keeps one per run, so that a page that
 * comes late sees what was; the page keeps its own.
 */
export class DecisionRing {
  readonly capacity: number;
  readonly #columns: Record<string, Float64Array | Float32Array | Int16Array | Uint8Array>;
  #reasons: string[] = [];
  #reasonNumbers = new Map<string, number>();
  #pushed = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#columns = {
      seconds: new Float64Array(capacity),
      label: new Int16Array(capacity),
      shown: new Int16Array(capacity),
      truth: new Int16Array(capacity),
      confidence: new Float32Array(capacity),
      exit: new Uint8Array(capacity),
      why: new Uint8Array(capacity),
      isCloud: new Uint8Array(capacity),
      isGap: new Uint8Array(capacity),
      macs: new Float64Array(capacity),
      level: new Uint8Array(capacity),
      skinCelsius: new Float32Array(capacity),
      reason: new Int16Array(capacity),
    };
    for (const part of POWER_PARTS) this.#columns[`watts.${part}`] = new Float32Array(capacity);
  }

  /** Decisions held. */
  get length(): number {
    return Math.min(this.#pushed, this.capacity);
  }

  /** Decisions that were ever pushed. */
  get pushed(): number {
    return this.#pushed;
  }

  /** Adds a decision; the oldest goes if the ring is full. A label that the ring cannot number is unknown. */
  push(row: DecisionRow): void {
    const at = this.#pushed++ % this.capacity;
    const { reason, watts, ...numbers } = row;
    for (const [name, value] of Object.entries(numbers)) this.#columns[name]![at] = Number(value);
    this.#columns.reason![at] = this.#numberOf(reason);
    for (const [part, name] of POWER_PARTS.entries()) this.#columns[`watts.${name}`]![at] = watts[part] ?? Number.NaN;
  }

  /** A column's value of the i-th decision held, 0 being the oldest. */
  number(column: keyof Omit<DecisionRow, "reason" | "watts"> | `watts.${(typeof POWER_PARTS)[number]}`, i: number): number {
    return this.#columns[column]![this.#place(i)]!;
  }

  /** The i-th decision held, 0 being the oldest. */
  row(i: number): DecisionRow {
    const of = (name: string) => this.#columns[name]![this.#place(i)]!;
    return {
      ...{ seconds: of("seconds"), label: of("label"), shown: of("shown"), truth: of("truth"), confidence: of("confidence") },
      ...{ exit: of("exit"), why: of("why"), isCloud: of("isCloud") === 1, isGap: of("isGap") === 1, macs: of("macs") },
      ...{ level: of("level"), skinCelsius: of("skinCelsius"), watts: POWER_PARTS.map((part) => of(`watts.${part}`)) },
      reason: this.#reasons[of("reason")] ?? "",
    };
  }

  /** The newest decision at or before `seconds`; −1: there is none. */
  indexAt(seconds: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.number("seconds", middle) <= seconds) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  snapshot(): RingColumns {
    const numbers: Record<string, (number | null)[]> = {};
    const order = Array.from({ length: this.length }, (_, i) => this.#place(i));
    for (const [name, column] of Object.entries(this.#columns)) numbers[name] = order.map((at) => short(column[at]!));
    return { numbers, reasons: this.#reasons };
  }

  /** Replaces everything by a snapshot of another ring. */
  load({ numbers, reasons }: RingColumns): void {
    const count = numbers.seconds?.length ?? 0;
    const first = Math.max(0, count - this.capacity);
    for (const [name, column] of Object.entries(this.#columns))
      for (let i = first; i < count; i++) column[i - first] = numbers[name]?.[i] ?? Number.NaN;
    this.#pushed = count - first;
    this.#reasons = [...reasons];
    this.#reasonNumbers = new Map(reasons.map((reason, i) => [reason, i]));
  }

  #place(i: number): number {
    return (Math.max(0, this.#pushed - this.capacity) + i) % this.capacity;
  }

  #numberOf(reason: string): number {
    const known = this.#reasonNumbers.get(reason);
    if (known !== undefined) return known;
    if (this.#reasons.length >= MOST_REASONS) return this.#reasons.length - 1;
    this.#reasons.push(reason);
    this.#reasonNumbers.set(reason, this.#reasons.length - 1);
    return this.#reasons.length - 1;
  }
}

/** Six digits are enough for a page; NaN is no JSON. */
function short(value: number): number | null {
  return Number.isNaN(value) ? null : Number.isInteger(value) ? value : Number(value.toPrecision(6));
}
