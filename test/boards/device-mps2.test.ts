import { describe } from "vitest";
import { hasTool } from "../../host/firmware/c/tools.ts";
import { deviceSuite } from "../suites/device.ts";
import { mps2Place } from "../support/emulated-device.ts";
import { requireAll } from "../support/require.ts";

const hasAll = hasTool("arm-none-eabi-gcc") && hasTool("wasm2c") && hasTool("qemu-system-arm");
const isNightly = process.env.DORMOUSE_NIGHTLY === "1";

// The fault tests on the firmware itself: its store lies in the machine's PSRAM and outlives every cut. Nightly: every chunk and 100 bytes.
describe.skipIf(!hasAll && !requireAll)("needs arm gcc, wabt, qemu", () => {
  deviceSuite("the firmware on qemu-mps2-an386", mps2Place("qemu-mps2-an386"), {
    ...(isNightly ? {} : { cutEvery: 40, randomCuts: 3, frames: 1500 }),
    timeoutMillis: isNightly ? 1_800_000 : 120_000,
  });
});
