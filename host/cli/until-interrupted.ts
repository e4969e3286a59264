import type { CliIo } from "./io.ts";

/** Resolves on the first SIGINT or SIGTERM. */
export function untilInterrupted({ interrupt }: Pick<CliIo, "interrupt">): Promise<void> {
  if (interrupt.aborted) return Promise.resolve();
  return new Promise((resolve) => interrupt.addEventListener("abort", () => resolve(), { once: true }));
}
