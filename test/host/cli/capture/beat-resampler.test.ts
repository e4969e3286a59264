import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BeatResampler } from "../../../../host/cli/capture/beat-resampler.ts";
import { phoneAddress } from "../../../../host/cli/capture/phone-source.ts";
import { qrLines } from "../../../../host/cli/capture/qr-code.ts";
import type { PhoneSample } from "../../../../host/web/phone-messages.ts";

/** A phone that sends `hz` samples per second from `from` on, its x a ramp of 1 g per second. */
function phone(from: number, seconds: number, hz: number): PhoneSample[] {
  return Array.from({ length: Math.round(seconds * hz) }, (_, i) => {
    const millis = from + (i * 1000) / hz;
    return [millis, millis / 1000, 0, 1, 0, 0, 90] as const;
  });
}

function resampler() {
  const told: string[] = [];
  const stream = new BeatResampler(50, { name: "phone", mend: "use another" }, (text) => told.push(text));
  return { told, stream, push: (samples: readonly PhoneSample[]) => samples.flatMap((sample) => stream.push(sample)) };
}

describe("a phone's samples", () => {
  it("are brought to the agent's beat between their own times, and the rate is told", () => {
    const { told, stream, push } = resampler();
    const done = push(phone(1000, 12, 60));
    expect(told).toEqual(["The phone sends 60 samples per second: resampled to 50."]);
    expect(done.map(({ count }) => count)).toEqual(done.map((_, i) => i));
    expect(done.length).toBeGreaterThan(480); // ten seconds, after two of measuring
    for (let i = 1; i < done.length; i++) expect(done[i]!.values[0]! - done[i - 1]!.values[0]!).toBeCloseTo(0.02, 9);
    expect(done[0]!.values.slice(1)).toEqual([0, 1, 0, 0, 90]);
    expect(stream.rate()!.hz).toBeCloseTo(60, 3);
  });

  it("are told and resampled on when the rate changes, and refused while it is too slow", () => {
    const { told, stream, push } = resampler();
    push(phone(0, 6, 60));
    push(phone(6000, 6, 100));
    expect(told.at(-1)).toBe("The phone sends 100 samples per second, 60 before: resampled to 50.");
    const before = push(phone(12_000, 4, 20)).length;
    expect(told.at(-1)).toMatch(/^The phone sends 20 samples per second, \d+ before; the agent needs 50\. Nothing is recorded meanwhile/);
    expect(stream.trouble).toBe(told.at(-1));
    expect(before).toBeLessThan(50 * 3); // until it was noticed
    expect(push(phone(16_000, 4, 20))).toEqual([]);
    const after = push(phone(20_000, 8, 60));
    expect(stream.trouble).toBe("");
    expect(after.length).toBeGreaterThan(150);
  });

  it("split the recording at a gap, and leave late and repeated samples out", () => {
    const { push } = resampler();
    const before = push(phone(0, 4, 50)).at(-1)!;
    const after = push(phone(9000, 1, 50))[0]!;
    expect(after.count - before.count).toBeGreaterThan(200);
    expect(push(phone(9000, 0.5, 50))).toEqual([]);
  });

  it("are counted upwards whatever the phone's clock does, and every value lies between two measured ones", () => {
    const steps = fc.array(fc.double({ min: -100, max: 600, noNaN: true }), { maxLength: 400 });
    fc.assert(
      fc.property(steps, (millis) => {
        const { push } = resampler();
        const times = millis.map((_, i) => millis.slice(0, i + 1).reduce((sum, step) => sum + step, 0));
        const done = push([...phone(-5000, 5, 50), ...times.map((now): PhoneSample => [now, Math.sin(now), 0, 0, 0, 0, 0])]);
        for (let i = 1; i < done.length; i++) expect(done[i]!.count).toBeGreaterThan(done[i - 1]!.count);
        for (const { values } of done) expect(Math.abs(values[0]!)).toBeLessThanOrEqual(5 + 1e-9);
      }),
    );
  });
});

describe("the way to the phone", () => {
  const lan = (address: string, internal = false) => ({ family: "IPv4", address, internal }) as never;

  it("is this machine's one address; of none or several it asks", () => {
    expect(phoneAddress(true, { lo: [lan("127.0.0.1", true)], wlan0: [lan("192.168.1.20")] })).toEqual({ host: "192.168.1.20", port: 0 });
    expect(() => phoneAddress(true, { a: [lan("10.0.0.2")], b: [lan("192.168.1.20")] })).toThrow(
      /several addresses \(10\.0\.0\.2, 192\.168\.1\.20\)/,
    );
    expect(() => phoneAddress(true, {})).toThrow(/no address in a network/);
    expect(phoneAddress("desk.local")).toEqual({ host: "desk.local", port: 0 });
    expect(phoneAddress("192.168.1.20:8443")).toEqual({ host: "192.168.1.20", port: 8443 });
  });

  it("is a QR code of half blocks with a light margin, the same with and without colour", () => {
    const url = "https://192.168.100.200:49152/?token=AbCdEfGhIjKlMnOpQrStUvWx";
    const coloured = qrLines(url, true);
    const plain = qrLines(url, false);
    expect(coloured.length).toBeLessThan(23); // fits a terminal of 24 lines
    const bare = coloured.map((line) => line.replace("\u001b[30;107m", "").replace("\u001b[0m", ""));
    const inverse: Record<string, string> = { "█": " ", " ": "█", "▀": "▄", "▄": "▀" };
    expect(bare.map((line) => [...line.slice(2)].map((one) => inverse[one]).join(""))).toEqual(plain.map((line) => line.slice(2)));
    expect(bare[0]!.trim()).toBe("");
    expect(bare[1]!.slice(4, 11)).toBe("█▀▀▀▀▀█"); // a finder's upper edge
  });
});
