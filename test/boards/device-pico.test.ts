import { describe } from "vitest";
import { hasTool } from "../../host/firmware/c/tools.ts";
import { deviceSuite } from "../suites/device.ts";
import { picoPlace } from "../support/emulated-pico.ts";
import { requireAll } from "../support/require.ts";

const hasAll = hasTool("arm-none-eabi-gcc") && hasTool("wasm2c");
const isNightly = process.env.DORMOUSE_NIGHTLY === "1";

// The fault tests on the Pico's firmware, whose own code erases and programs the flash through the boot ROM's functions.
describe.skipIf(!hasAll && !requireAll)("needs arm gcc, wabt", () => {
  deviceSuite("the firmware on an emulated Pico", picoPlace(), {
    ...(isNightly ? { cutEvery: 8, randomCuts: 20, frames: 2000 } : { cutEvery: 80, randomCuts: 2, frames: 1500 }),
    timeoutMillis: isNightly ? 1_800_000 : 240_000,
  });
});
