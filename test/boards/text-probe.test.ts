import { expect, it } from "vitest";
import { cli } from "../host/cli/fake-io.ts";
import { needTools } from "../support/tools.ts";

it("an emulated Pico gives the host's intents and logits for 200 texts, its image read in flash (needs arm gcc, wabt)", async (context) => {
  needTools(context, "arm-none-eabi-gcc", "wasm2c");
  const { code, stdout, stderr } = await cli(["emulate", "assistant", "--board", "pico", "--json"]);
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout) as Record<string, number>;
  expect(result).toMatchObject({ emulator: "rp2040js", texts: 200, identical: true });
  expect(result.cyclesPerText).toBeLessThan(400_000); // 3.2 ms at 125 MHz
  expect(result.ramBytes).toBeLessThan(32_768); // the image is not copied
  expect(result.flashBytes! - result.imageBytes!).toBeLessThan(16_384);
});
