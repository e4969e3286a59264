import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createRandom } from "../../../host/core/system/random.ts";
import { createCauseFinder } from "../../../host/link/likely-cause.ts";
import { createLinkWriter } from "../../../host/link/stream.ts";

/** 200 frames of the given payload sizes, from a fixed seed. */
function recording(): number[] {
  const random = createRandom(7);
  const bytes: number[] = [];
  const writer = createLinkWriter((frame) => bytes.push(...frame));
  for (let i = 0; i < 200; i++)
    writer.message(
      "telemetry",
      0,
      Uint8Array.from({ length: 20 + (i % 100) }, () => Math.floor(256 * random.uniform())),
    );
  return bytes;
}

function causeOf(bytes: readonly number[] | string, packet = 64) {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes);
  const finder = createCauseFinder();
  for (let at = 0; at < all.length; at += packet) finder.push(all.subarray(at, at + packet));
  return finder.find();
}

describe("the likely cause of bytes that are no frames", () => {
  const sound = recording();
  const nmea = "$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n";

  it.each([
    ["nothing, if all is sound", sound, undefined],
    ["nothing, if only the first frame is cut", sound.slice(9), undefined],
    ["text: 200 lines of NMEA", nmea.repeat(200), "text"],
    ["text: a coloured console log", "\u001b[0;32mI (312) cpu_start: Pro cpu up.\u001b[0m\n".repeat(50), "text"],
    ["text: a log between sound frames", [...sound, ...new TextEncoder().encode(nmea.repeat(20)), 0, ...sound], "text"],
    ["line ends: LF became CR LF", sound.flatMap((byte) => (byte === 10 ? [13, 10] : [byte])), "line-ends"],
    ["line ends: CR became LF", sound.map((byte) => (byte === 13 ? 10 : byte)), "line-ends"],
    ["line ends: LF became CR", sound.map((byte) => (byte === 10 ? 13 : byte)), "line-ends"],
    ["line ends: CR is dropped", sound.filter((byte) => byte !== 13), "line-ends"],
    ["flow control: XON and XOFF are dropped", sound.filter((byte) => byte !== 0x11 && byte !== 0x13), "flow-control"],
    ["seven bits", sound.map((byte) => byte & 0x7f), "seven-bits"],
    ["another baud rate: bits run together", sound.map((byte, i) => (byte & sound[i + 1 < sound.length ? i + 1 : 0]!) | 0x80), "baud"],
    ["noise between sound frames", sound.map((byte, i) => (i % 500 === 17 ? byte ^ 0x55 || 1 : byte)), "noise"],
  ] as const)("is %s", (_, bytes, cause) => {
    expect(causeOf(bytes)).toBe(cause);
    expect(causeOf(bytes, 1)).toBe(cause);
  });

  it("is nothing for what a device and a node send", () => {
    for (const name of ["device-out.dls", "device.dls"]) {
      expect(causeOf([...readFileSync(join(packageRoot(), "test", "golden", name))])).toBeUndefined();
    }
  });
});
