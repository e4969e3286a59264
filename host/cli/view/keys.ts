import type { Readable } from "node:stream";

/** What is needed of an input. */
export interface KeyStream extends Pick<Readable, "on" | "off" | "pause" | "resume"> {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
}

/** Keys that may wait for whoever reads them. */
const MOST_WAITING = 64;

/** The characters of an input, one by one. A terminal is raw meanwhile, and as it was afterwards: Ctrl-C is a key then. */
export async function* readKeys(stream: KeyStream, signal: AbortSignal): AsyncGenerator<string> {
  const waiting: string[] = [];
  let isEnded = signal.aborted;
  let wake = (): void => {};
  const onData = (bytes: Buffer): void => {
    waiting.push(...bytes.toString("utf8"));
    waiting.splice(MOST_WAITING);
    wake();
  };
  const onEnd = (): void => {
    isEnded = true;
    wake();
  };
  const setRaw = (isRaw: boolean): void => {
    if (stream.isTTY) stream.setRawMode?.(isRaw);
  };
  const restore = (): void => setRaw(false);
  stream.on("data", onData);
  stream.on("end", onEnd);
  stream.on("error", onEnd);
  signal.addEventListener("abort", onEnd, { once: true });
  process.once("exit", restore); // a crash must not leave the user with a raw terminal
  setRaw(true);
  stream.resume();
  try {
    for (;;) {
      const key = waiting.shift();
      if (key !== undefined) yield key;
      else if (isEnded) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    restore();
    process.off("exit", restore);
    stream.off("data", onData);
    stream.off("end", onEnd);
    stream.off("error", onEnd);
    signal.removeEventListener("abort", onEnd);
    stream.pause();
  }
}
