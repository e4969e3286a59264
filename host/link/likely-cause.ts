import { decodeFrame, MAX_WIRE_BYTES } from "./frame.ts";

/** Why bytes between delimiters are no frames. */
export type Cause = "text" | "line-ends" | "flow-control" | "seven-bits" | "baud" | "noise";

/** The cause in a sentence, and what to change. */
export const CAUSES: Readonly<Record<Cause, string>> = {
  text: "plain text on this port, from a console log or another protocol. Give the link a port of its own.",
  "line-ends": "line ends were translated (CR, LF). Open the port raw, and turn translation off in the device's console driver.",
  "flow-control": "bytes 0x11 and 0x13 are missing. Turn software flow control off (XON/XOFF).",
  "seven-bits": "no byte has its highest bit. Use 8 data bits and no parity.",
  baud: "the bytes are neither frames nor text. Try another --baud, and check that the device speaks the link.",
  noise: "bytes were lost or changed between sound frames. Check the wiring and the speed of the reader.",
};

/** Takes the bytes of a link beside its decoder, and names the likely cause of those that are no frames. Memory is bounded. */
export interface CauseFinder {
  push(bytes: Uint8Array): void;
  /** After the last byte; undefined if too little is bad to tell. */
  find(): Cause | undefined;
}

const MAX_STRETCHES = 64;
const MAX_STRETCH_BYTES = 2 * MAX_WIRE_BYTES; // a frame whose every byte became two
const LEAST_BAD_BYTES = 32;
const CR = 0x0d;
const LF = 0x0a;
const XON = 0x11;
const XOFF = 0x13;
/** Of the bad stretches, how many must become frames by undoing one change: a 16-bit CRC lets one in 65536 guesses through. */
const LEAST_MENDED = 0.1;

/**
 * Text is recognised by its bytes. Translated line ends and swallowed control characters are undone, and the result must have a sound CRC;
 * seven bits show in the CRC bytes, half of which would have the eighth.
 */
export function createCauseFinder(): CauseFinder {
  const stretches: Uint8Array[] = []; // the first bad ones, cut to what a translated frame may have
  const buffer = new Uint8Array(MAX_STRETCH_BYTES);
  let length = 0;
  let frames = 0;
  let bad = 0;
  let bytes = 0;
  let printable = 0;
  let high = 0;

  function finish(): void {
    if (length === 0) return;
    const stretch = buffer.slice(0, Math.min(length, MAX_STRETCH_BYTES));
    length = 0;
    if (isFrame(stretch)) {
      frames++;
      return;
    }
    bad++;
    bytes += stretch.length;
    printable += stretch.filter(
      (byte) => (byte >= 0x20 && byte < 0x7f) || byte === CR || byte === LF || byte === 0x09 || byte === 0x1b,
    ).length;
    high += stretch.filter((byte) => byte >= 0x80).length;
    if (stretches.length < MAX_STRETCHES) stretches.push(stretch);
  }

  /** Whether enough of the bad stretches have a change that makes them frames. */
  function isMendedBy(changes: (stretch: Uint8Array) => Iterable<Uint8Array>): boolean {
    const mended = stretches.filter((stretch) => {
      for (const changed of changes(stretch)) if (isFrame(changed)) return true;
      return false;
    }).length;
    return mended >= Math.max(2, LEAST_MENDED * stretches.length) || (mended === 1 && stretches.length === 1);
  }

  return {
    push(some) {
      for (const byte of some) {
        if (byte === 0) finish();
        else {
          if (length < MAX_STRETCH_BYTES) buffer[length] = byte;
          length++;
        }
      }
    },
    find() {
      finish();
      if (bytes >= LEAST_BAD_BYTES && printable >= 0.9 * bytes) return "text";
      if (isMendedBy(translations)) return "line-ends";
      if (isMendedBy((stretch) => insertions(stretch, XON, XOFF))) return "flow-control";
      if (bytes < LEAST_BAD_BYTES) return undefined;
      if (high === 0) return "seven-bits";
      if (frames === 0) return "baud";
      return bad >= 3 ? "noise" : undefined; // the first stretch is what was under way
    },
  };
}

const isFrame = (stretch: Uint8Array) => stretch.length < MAX_WIRE_BYTES && decodeFrame(stretch).ok;

/** What a stretch may have been before LF became CR LF, one became the other, or CR was dropped. */
function* translations(stretch: Uint8Array): Iterable<Uint8Array> {
  yield stretch.filter((byte, at) => byte !== CR || stretch[at + 1] !== LF);
  for (const [at, byte] of stretch.entries()) {
    if (byte === CR || byte === LF) yield stretch.with(at, byte === CR ? LF : CR);
  }
  yield* insertions(stretch, CR);
}

/** The stretch with one byte more, at every place. */
function* insertions(stretch: Uint8Array, ...inserted: readonly number[]): Iterable<Uint8Array> {
  if (stretch.length >= MAX_WIRE_BYTES) return;
  const longer = new Uint8Array(stretch.length + 1);
  for (const byte of inserted) {
    longer.set(stretch, 1);
    for (let at = 0; at <= stretch.length; at++) {
      longer[at] = byte;
      yield longer;
      if (at < stretch.length) longer[at] = stretch[at]!;
    }
  }
}
