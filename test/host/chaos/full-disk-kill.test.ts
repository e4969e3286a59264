import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorker } from "../../../host/cloud/worker.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import type { LedgerEntry } from "../../../host/mqtt/outbox/ledger.ts";
import { openLedgerFile } from "../../../host/mqtt/outbox/ledger-file.ts";
import { openOutbox } from "../../../host/mqtt/outbox/outbox.ts";
import { startBroker } from "../../../host/mqtt/transport/broker.ts";
import { freePort } from "../../support/broker.ts";
import { bundlePrograms, type Programs } from "../../support/chaos/child.ts";
import { canMount, mountDisk } from "../../support/chaos/faults.ts";
import type { FillerTask } from "../../support/chaos/tasks.ts";
import { seeded } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { cli } from "../cli/fake-io.ts";

/** DORMOUSE_CHAOS=full: 20 rounds. */
const rounds = process.env.DORMOUSE_CHAOS === "full" ? 20 : 3;
const random = seeded(Number(process.env.DORMOUSE_SEED ?? 1));
const between = (least: number, most: number) => least + Math.floor(random() * (most - least));

let folder: string;
let disk: string;
let unmount: (() => void) | undefined;
let programs: Programs;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-full-disk-"));
  disk = join(folder, "disk");
  mkdirSync(disk);
  programs = await bundlePrograms();
});
afterAll(() => {
  programs.remove();
  unmount?.();
  rmSync(folder, { recursive: true, force: true });
});

const linesOf = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : []);

/** Asks until `enough` lines are in `asked`, then kills. */
async function askUntilKilled(task: FillerTask, enough: number): Promise<void> {
  const child = spawn(process.execPath, [programs.filler, JSON.stringify(task)], { stdio: ["ignore", "ignore", "inherit"] });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  try {
    await until(() => linesOf(task.asked).length >= enough || child.exitCode !== null, "the device has asked");
  } finally {
    child.kill("SIGKILL");
    await gone;
  }
}

describe("a full disk, kill -9 and a restart, again and again", () => {
  const title = `${rounds} rounds → every ask ends once, ledger and outbox agree, inspect counts what was never durable`;
  it(title, async ({ skip }) => {
    if (!canMount(disk)) skip("no file system can be mounted here: needs root");
    unmount = mountDisk(disk);
    const [asked, ballast, edgeLedger] = [join(folder, "asked.txt"), join(disk, "ballast"), join(disk, "edge.jsonl")];
    const node = "wrist";
    const dead = `mqtt://127.0.0.1:${await freePort()}`;
    for (let round = 0; round < rounds; round++) {
      const asksBefore = between(1, 30);
      const enough = linesOf(asked).length + asksBefore + between(1, 100);
      await askUntilKilled({ url: dead, node, disk, asked, asksBefore }, enough);
      if (round % 3 !== 1) rmSync(ballast, { force: true }); // every third start finds the disk full still
    }
    rmSync(ballast, { force: true });

    const broker = await startBroker({ port: 0 });
    const cloudLedger = join(folder, "cloud.jsonl");
    const worker = startWorker({
      broker: { url: broker.url },
      provider: { name: "echo", answer: async (batch) => batch.map(() => ({ ok: true, label: 0, confidence: 0.9, model: "echo" })) },
      ledgerSink: openLedgerFile(cloudLedger),
    });
    const path = join(disk, "outbox.log");
    const edge = createAsker({
      ...{ broker: { url: broker.url }, site: "lab", node, outbox: openOutbox({ path, fsync: "none" }) },
      ...{ ledgerSink: openLedgerFile(edgeLedger, { node }), events: { onOutcome: () => {} } },
    });
    const isDrained = await edge.drain(60_000);
    await edge.close();
    await worker.close();
    await broker.close();

    const lines = linesOf(asked).map((line) => line.split(" "));
    const notDurable = lines.filter(([, where]) => where === "memory").length;
    const ends = new Map<string, string[]>();
    for (const line of linesOf(edgeLedger)) {
      if (!line.startsWith("{") || !line.endsWith("}")) continue; // cut by the full disk, written again
      const { id, state } = JSON.parse(line) as LedgerEntry;
      if (state !== "pending") ends.set(id, [...(ends.get(id) ?? []), state]);
    }
    const compared = JSON.parse((await cli(["inspect", edgeLedger, cloudLedger, "--json"])).stdout) as Record<string, number>;
    if (rounds === 20)
      console.log(JSON.stringify({ rounds, asked: lines.length, notDurable, compared: { ...compared, lostIds: undefined } }));
    expect(isDrained).toBe(true);
    expect(lines.map(([id]) => ends.get(id!)?.length)).toEqual(lines.map(() => 1));
    expect(lines.map(([id, where]) => ends.get(id!)![0] === (where === "memory" ? "evicted" : "answered"))).toEqual(lines.map(() => true));
    expect(notDurable).toBeGreaterThan(rounds);
    // An ask that was under way when its process was killed may be in the ledger and not in `asked`: at most one per round.
    expect(compared.asked! - lines.length).toBeLessThanOrEqual(rounds);
    expect(compared).toMatchObject({ asked: ends.size, pending: 0, lost: 0, unrecorded: 0 });
    expect(compared.notDurable! - notDurable).toBeLessThanOrEqual(rounds);
    expect(compared.notDurable).toBeGreaterThanOrEqual(notDurable);
    const outbox = openOutbox({ path, fsync: "none" });
    expect(outbox.pending.size).toBe(0);
    outbox.close();
  });
});
