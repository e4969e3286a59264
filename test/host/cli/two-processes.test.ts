import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { hasMosquitto, mosquittoBroker } from "../../support/broker.ts";
import { dataDir, requireAll } from "../../support/require.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-two-processes-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function dormouse(...args: string[]): Running {
  const child = spawn(process.execPath, [join(packageRoot(), "dist/dormouse.js"), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  return { child, done: new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr }))) };
}

/** Resolves once `file` holds at least `lines` lines, looking ten times a second for at most `seconds`. */
async function linesIn(file: string, lines: number, seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 10; i++) {
    if (existsSync(file) && readFileSync(file, "utf8").split("\n").length > lines) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${file} did not reach ${lines} lines in ${seconds} s`);
}

describe.skipIf(!hasMosquitto() && !requireAll)("two processes and a real mosquitto (needs mosquitto)", () => {
  it("goes on deciding while the broker is dead, and every ask ends in one state", async () => {
    const data = dataDir();
    const sensor = data === undefined ? "synthetic:1" : `replay:${data}#user=1,exp=1`;
    const broker = await mosquittoBroker();
    try {
      const edgeLedger = join(folder, "edge.jsonl");
      const cloudLedger = join(folder, "cloud.jsonl");
      const cloud = dormouse("cloud", "--broker", broker.url, "--ledger", cloudLedger, "--json");
      const run = dormouse(
        ...["run", "activity", "--sensor", sensor, "--broker", broker.url, "--speed", "30", "--seconds", "360", "--deadline-seconds", "40"],
        ...["--headless", "--ledger", edgeLedger, "--data-dir", join(folder, "outbox"), "--json"],
      );
      await linesIn(cloudLedger, 4, 60); // asks have been answered
      await broker.kill();
      await linesIn(edgeLedger, readFileSync(edgeLedger, "utf8").split("\n").length + 2, 60); // and more come up meanwhile
      await broker.start();

      const edge = await run.done;
      expect(edge.stderr).not.toMatch(/at .*\.js:\d+/); // no stack trace
      expect(edge.code).toBe(0);
      const report = JSON.parse(edge.stdout) as Record<string, number>;
      expect(report.decisions).toBeGreaterThanOrEqual(250); // one each 1.28 s of 360 s, the broker dead or not
      expect(report.answered).toBeGreaterThanOrEqual(1);
      expect(report.pending).toBe(0);
      expect(report.lost).toBe(0);
      const ended = ["answered", "expired", "refused", "evicted"].reduce((sum, key) => sum + report[key]!, 0);
      expect(ended).toBe(report.asked);

      cloud.child.kill("SIGTERM");
      const worker = await cloud.done;
      expect(worker.code).toBe(0);
      expect((JSON.parse(worker.stdout) as { answered: number }).answered).toBeGreaterThanOrEqual(report.answered!);

      const compared = await dormouse("inspect", edgeLedger, cloudLedger, "--json").done;
      expect(JSON.parse(compared.stdout)).toMatchObject({ asked: report.asked, answered: report.answered, pending: 0, lost: 0 });
    } finally {
      await broker.close();
    }
  });
});
