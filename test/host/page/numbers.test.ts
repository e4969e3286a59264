import { expect, it } from "vitest";
import { countText, numberText, percentText, pointsText } from "../../../host/core/system/table.ts";
import { shortCountText, siText } from "../../../host/page/axis.ts";

it("numbers are written with thousands separators, counts with their noun", () => {
  expect([numberText(2141), numberText(1.25, 1), countText(1, "window"), countText(1389, "window")]).toEqual([
    "2,141",
    "1.3",
    "1 window",
    "1,389 windows",
  ]);
});

it("shares are written in per cent, differences in points with a sign unless they round to zero", () => {
  expect([percentText(0.9612, 1), pointsText(0.0052, 2), pointsText(-0.012, 1), pointsText(-0.0001)]).toEqual([
    "96.1 %",
    "+0.52",
    "−1.2",
    "0",
  ]);
});

it("large counts get an SI prefix, and at most four characters on a bar", () => {
  expect([siText(0), siText(812_400), siText(1.2e6)]).toEqual(["0", "812 k", "1.2 M"]);
  expect([shortCountText(812), shortCountText(1234), shortCountText(34_000)]).toEqual(["812", "1.2k", "34k"]);
});
