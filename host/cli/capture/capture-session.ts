/** What an undo takes back. */
export const UNDO_SECONDS = 5;

/** A sample as it is written: an undefined label is an empty one. */
export interface CaptureRow {
  readonly seconds: number;
  readonly values: readonly number[];
  readonly label: string | undefined;
}

export interface CaptureOptions {
  /** At most nine: one per key. */
  readonly labels: readonly string[];
  /** Between the key and the first sample of its label. */
  readonly countdownSeconds: number;
  /** Gets each row when an undo no longer reaches it, in order. */
  readonly onRow: (row: CaptureRow) => void;
}

/** waiting: nothing is recorded yet. countdown and paused: recorded without a label. */
export type CapturePhase = "waiting" | "countdown" | "labelling" | "paused";

/** What a key did. */
export type KeyEffect = "label" | "pause" | "undo" | "quit" | "nothing";

const QUIT_KEYS = ["q", "Q", "\u0003", "\u0004"]; // Ctrl-C and Ctrl-D, which a raw terminal hands over as keys

/**
 * Labels a stream by keys: 1 to 9 choose a label, which begins after the countdown; space or 0 ends it; u takes the labels of the last
 * five seconds away and pauses. All times are those of the samples, so equal samples and keys give equal rows. Holds five seconds of rows.
 */
export class CaptureSession {
  readonly #options: CaptureOptions;
  readonly #held: CaptureRow[] = []; // newest last
  readonly #samples = new Map<string, number>();
  #phase: CapturePhase = "waiting";
  #label: string | undefined;
  #startsAt = 0;
  #now = 0;

  constructor(options: CaptureOptions) {
    this.#options = options;
    for (const label of options.labels) this.#samples.set(label, 0);
  }

  get phase(): CapturePhase {
    return this.#phase;
  }

  /** The label that is recorded, or counted down to. */
  get label(): string | undefined {
    return this.#label;
  }

  /** Seconds until the label begins; 0 but in a countdown. */
  get countdown(): number {
    return this.#phase === "countdown" ? Math.max(0, this.#startsAt - this.#now) : 0;
  }

  /** Samples of each label so far, those that an undo may still take included. */
  samples(): ReadonlyMap<string, number> {
    return this.#samples;
  }

  press(key: string): KeyEffect {
    if (QUIT_KEYS.includes(key)) return "quit";
    if (key === "u" || key === "U") return this.#undo();
    if (key === " " || key === "0") return this.#pause();
    const label = /^[1-9]$/.test(key) ? this.#options.labels[Number(key) - 1] : undefined;
    if (label === undefined) return "nothing";
    this.#label = label;
    this.#startsAt = this.#now + this.#options.countdownSeconds;
    this.#phase = this.#options.countdownSeconds > 0 ? "countdown" : "labelling";
    return "label";
  }

  /** A sample; `seconds` increase. */
  sample(seconds: number, values: readonly number[]): void {
    this.#now = seconds;
    if (this.#phase === "countdown" && seconds >= this.#startsAt) this.#phase = "labelling";
    if (this.#phase === "waiting") return;
    const label = this.#phase === "labelling" ? this.#label : undefined;
    this.#count(label, 1);
    this.#held.push({ seconds, values, label });
    while (seconds - this.#held[0]!.seconds > UNDO_SECONDS - 1e-6) this.#options.onRow(this.#held.shift()!);
  }

  /** Hands over what is held: the end. */
  finish(): void {
    for (const row of this.#held.splice(0)) this.#options.onRow(row);
  }

  #pause(): KeyEffect {
    if (this.#phase === "waiting") return "nothing";
    this.#phase = "paused";
    this.#label = undefined;
    return "pause";
  }

  #undo(): KeyEffect {
    if (this.#phase === "waiting") return "nothing";
    for (const [i, row] of this.#held.entries()) {
      this.#count(row.label, -1);
      this.#held[i] = { ...row, label: undefined };
    }
    this.#pause();
    return "undo";
  }

  #count(label: string | undefined, by: number): void {
    if (label !== undefined) this.#samples.set(label, this.#samples.get(label)! + by);
  }
}
