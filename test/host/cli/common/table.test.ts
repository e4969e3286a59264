import { expect, it } from "vitest";
import { bytesText, pointsText } from "../../../../host/core/system/table.ts";

it("bytes have the unit in which they are few", () => {
  expect([512, 18_330, 2 ** 21, 8 * 2 ** 30].map(bytesText)).toEqual(["512 B", "17.9 KiB", "2.0 MiB", "8.0 GiB"]);
});

it("a gain is in points, with its sign", () => {
  expect([0.0052, -0.012, 0, -0.00001].map((gain) => pointsText(gain, 2))).toEqual(["+0.52", "−1.20", "0.00", "0.00"]);
});
