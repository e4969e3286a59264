/** A board that runs in an emulator, seen over its link UART. */
export interface EmulatedBoard {
  /** For people and JSON: "qemu netduinoplus2", "rp2040js". */
  readonly emulator: string;
  /** What its figures count. */
  readonly unit: "instructions" | "cycles";
  write(bytes: Uint8Array): void;
  /** Exactly so many bytes that the board sent. Throws when it stops before. */
  read(bytes: number): Promise<Uint8Array>;
  /** Bytes that came and were not read yet. */
  readonly waiting: number;
  /** Cycles between hal_mark(true) and hal_mark(false) since the last call, and the longest such stretch; undefined where nothing counts them. */
  takeBusyCycles(): { readonly total: number; readonly longest: number } | undefined;
  stop(): Promise<void>;
}
