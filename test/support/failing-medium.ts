import * as fs from "node:fs";

/** node:fs whose writes fail while `isBroken`. */
export function failingMedium() {
  const state = { isBroken: false };
  const writeSync = ((...args: Parameters<typeof fs.writeSync>) => {
    if (state.isBroken) throw new Error("EIO: i/o error, write");
    return fs.writeSync(...args);
  }) as typeof fs.writeSync;
  return { state, medium: { ...fs, writeSync } };
}
