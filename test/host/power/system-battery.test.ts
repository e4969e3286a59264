import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemBattery } from "../../../host/power/system-battery.ts";

const root = mkdtempSync(join(tmpdir(), "battery-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const supply = (name: string, type: string, capacity: string) => {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, "type"), `${type}\n`);
  writeFileSync(join(root, name, "capacity"), `${capacity}\n`);
};

describe("system battery", () => {
  it("no battery, or one that tells nothing → undefined; the first battery with a level → its percent", () => {
    expect(systemBattery(join(root, "nowhere"))).toBeUndefined();
    supply("AC", "Mains", "50");
    supply("BAT0", "Battery", "unknown");
    expect(systemBattery(root)).toBeUndefined();
    supply("BAT1", "Battery", "71");
    expect(systemBattery(root)).toEqual({ percent: 71 });
  });
});
