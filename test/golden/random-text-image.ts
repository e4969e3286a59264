import type { TextImage } from "../../host/core/text/text-image.ts";
import { temperatureScale } from "../../host/policy/certify/temperature.ts";
import { seeded } from "../support/random.ts";

/** A text image of random weights: every scale and range that an exporter may write. */
export function randomTextImage(seed: number, { rows = 97, dModel = 32, nClasses = 11 } = {}): TextImage {
  const random = seeded(seed);
  const integer = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const s8 = (n: number, least = -127, most = 127): Int8Array => Int8Array.from({ length: n }, () => integer(least, most));
  const multiplier = (n: number): Int32Array => Int32Array.from({ length: n }, () => integer(2 ** 30, 2 ** 31 - 1));
  return {
    rows,
    dModel,
    nClasses,
    threshold: integer(0, 32768),
    table: s8(rows * dModel),
    hiddenMultiplier: multiplier(dModel),
    hiddenShift: s8(dModel, -20, -12),
    head: {
      nIn: dModel,
      nOut: nClasses,
      weights: s8(nClasses * dModel),
      bias: Int32Array.from({ length: nClasses }, () => integer(-20000, 20000)),
      multiplier: multiplier(nClasses),
      shift: s8(nClasses, -6, -2),
    },
    temperature: temperatureScale(0.2 + 4 * random()),
    manifest: {
      name: `random-${seed}`,
      language: "en",
      labels: Array.from({ length: nClasses }, (_, i) => `label-${i}`),
      provenance: { data: "random", licence: "none", trainedWith: "test", seed },
      parameters: rows * dModel,
      metrics: { second: 2, first: 1 },
      temperature: 1,
    },
  };
}

/** Random text: words, digits, apostrophes, other scripts, emoji, lone surrogates, controls. */
export function randomText(random: () => number, length: number): string {
  const pool = [
    "e",
    "t",
    "a",
    "o",
    "n",
    "s",
    "h",
    "Q",
    "7",
    " ",
    " ",
    "'",
    "’",
    "é",
    "ß",
    "Ω",
    "界",
    "😀",
    "\ud800",
    "\udfff",
    "\0",
    "\u202e",
    ".",
    "-",
  ];
  return Array.from({ length }, () => pool[Math.floor(random() * pool.length)]!).join("");
}
