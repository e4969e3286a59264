import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/core/system/clock.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createFleetTable } from "../../../host/mqtt/readers/fleet-table.ts";
import { type ReadableMessage, readMessage } from "../../../host/mqtt/readers/readable-message.ts";
import { openReader } from "../../../host/mqtt/readers/reader.ts";
import { hasMosquitto, mosquittoBroker, type TestBroker } from "../../support/broker.ts";
import { until } from "../../support/until.ts";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** What a reader hears: one that comes late gets what is retained alone. */
function listen({ url }: TestBroker): ReadableMessage[] {
  const heard: ReadableMessage[] = [];
  const reader = openReader({
    ...{ broker: { url }, clock: systemClock, onState: () => {} },
    onMessage(message) {
      const read = readMessage(message);
      if (read !== undefined) heard.push(read);
    },
  });
  opened.push(() => reader.close());
  return heard;
}

function dormouse(folder: string, args: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, [join(packageRoot(), "dist/dormouse.js"), ...args], { cwd: folder, stdio: "ignore" });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const end = async (signal: "SIGKILL" | "SIGTERM") => {
    child.kill(signal);
    await gone;
  };
  opened.push(() => end("SIGKILL"));
  return { end };
}

// A node's will is delayed by a minute: waited for every night.
const isNightly = process.env.DORMOUSE_NIGHTLY === "1";

describe("a process that is killed, over mosquitto (needs mosquitto)", { timeout: 120_000 }, () => {
  const setUp = async (context: { skip(reason: string): void }) => {
    if (!hasMosquitto()) context.skip("mosquitto is not installed");
    const folder = mkdtempSync(join(tmpdir(), "dormouse-killed-"));
    opened.push(() => rmSync(folder, { recursive: true, force: true }));
    const broker = await mosquittoBroker();
    opened.push(() => broker.close());
    return { folder, broker, heard: listen(broker) };
  };

  if (isNightly)
    it("a gateway: the broker says offline for each of its nodes, also to a reader that comes later", async (context) => {
      const { folder, broker, heard } = await setUp(context);
      const devices = ["one", "two"].map((node, i) => ({ match: `synthetic:${i + 1}`, node, agent: "activity" }));
      const config = { devices, payload: "json", broker: { url: broker.url } };
      writeFileSync(join(folder, "gateway.json"), JSON.stringify(config), { mode: 0o600 });
      const gateway = dormouse(folder, ["gateway", "--config", "gateway.json"]);
      const isSaid = (node: string, word: string) =>
        heard.some((one) => one.kind === "availability" && one.node === node && one.value === word);
      for (const { node } of devices) await until(() => isSaid(node, "online"), `${node} is online`);
      expect(heard.some(({ value }) => value === "offline")).toBe(false);
      await gateway.end("SIGKILL");
      for (const { node } of devices) await until(() => isSaid(node, "offline"), `${node} is offline`, 90_000);
      const late = listen(broker);
      const retained = () => late.filter((one) => one.kind === "availability" && one.isRetained);
      await until(() => retained().length === 2, "what is retained");
      expect(retained().map(({ value }) => value)).toEqual(["offline", "offline"]);
      const fleet = createFleetTable();
      for (const one of late) fleet.take(one);
      expect(fleet.nodes(systemClock.wall()).map(({ node, state }) => [node, state])).toEqual([
        ["one", "gone"],
        ["two", "gone"],
      ]);
    });

  it("a worker: its presence is taken back when it is killed as when it ends in order; none is left over", async (context) => {
    const { folder, broker, heard } = await setUp(context);
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      heard.length = 0;
      const worker = dormouse(folder, ["cloud", "--broker", broker.url]);
      await until(() => heard.some(({ kind, value }) => kind === "worker" && value !== null), "it is there");
      expect(heard.at(-1)).toMatchObject({ kind: "worker", value: { state: "awake", firmware: expect.stringMatching(/\d/) } });
      const late = listen(broker);
      await until(() => late.some(({ kind, isRetained }) => kind === "worker" && isRetained), "a late reader finds it");
      await worker.end(signal);
      await until(() => heard.some(({ kind, value }) => kind === "worker" && value === null), `it is gone after ${signal}`);
      await until(() => late.at(-1)?.value === null, "the late reader hears it, too");
    }
  });
});
