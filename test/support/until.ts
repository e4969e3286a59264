/**
 * Waits until `isSo`, looking every few milliseconds; fails with `what` after `millis`. The bounded wait of every network test: it ends
 * as soon as it is so, and the bound is for a machine that does much else.
 */
export async function until(isSo: () => boolean, what: string, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited ${millis} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}
