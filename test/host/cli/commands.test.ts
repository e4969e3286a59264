import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "cbor-x";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../../host/cli/program.ts";
import { hasMosquitto } from "../../support/broker.ts";
import { requireAll } from "../../support/require.ts";
import { openTlsSite, type TlsSite, wristArguments } from "../../support/tls-site.ts";
import { until } from "../../support/until.ts";
import { cli, fakeIo } from "./fake-io.ts";

describe.skipIf(!hasMosquitto() && !requireAll)("commands to a running node over TLS (needs mosquitto)", () => {
  let site: TlsSite;
  beforeAll(async () => {
    site = await openTlsSite();
  });
  afterAll(() => site.close());

  it("obeys the operator, remembers through a reboot, and refuses what is sent again, altered or for another", async () => {
    const cwd = site.folder;
    for (const args of [["wrist-1"], ["alice", "--as", "operator", "--broker", site.cloudUrl]]) {
      expect((await cli(["provision", ...args, "--out", args[0]!, "--json"], { cwd })).code).toBe(0);
    }
    const spy = await site.connect(join(cwd, "alice"), "spy");
    const captured: { topic: string; payload: Buffer }[] = [];
    const asks = new Set<string>(); // by correlation: one that is sent again is the same
    const askedByTelemetry: number[] = []; // what the node says that it has asked, one number per report
    spy.client.on("message", (topic, payload, { properties }) => {
      if (topic.endsWith("/telemetry")) {
        const { data } = decode(payload) as { data: { asked?: number } };
        if (data.asked !== undefined) askedByTelemetry.push(data.asked);
      }
      if (topic.includes("/command/")) captured.push({ topic, payload });
      if (topic.includes("/ask/")) asks.add(String(properties?.correlationData?.toString("hex")));
    });
    await spy.subscribe("dormouse/v1/lab/#");

    const node = fakeIo({ cwd });
    const run = runCli(wristArguments(site, "--headless"), node.io);
    await until(() => node.output().stderr.includes("broker reached"), "the node is online");
    const send = (...args: string[]) => cli(["ota", "wrist-1", ...args, "--identity", "alice", "--wait-seconds", "60", "--json"], { cwd });

    const ordered = await send("set-point", "--max-exit", "0", "--asks", "off");
    expect(JSON.parse(ordered.stdout)).toMatchObject({ node: "wrist-1", site: "lab", verb: "set-point", sent: true, result: "obeyed" });
    expect(JSON.parse(ordered.stdout)).toMatchObject({ effect: { maxExit: 0, asks: "off" } });
    // How many it asked before it obeyed depends on this machine's load. The next report is of a node that has obeyed.
    const reports = askedByTelemetry.length;
    await until(() => askedByTelemetry.length > reports, "a report after the order");
    const askedBefore = askedByTelemetry[reports]!;
    await until(() => asks.size >= askedBefore, "what was asked before the order is sent");
    const tooDeep = await send("set-point", "--max-exit", "7");
    expect(tooDeep.code).toBe(1);
    expect(JSON.parse(tooDeep.stdout)).toMatchObject({ error: { code: "COMMAND_REFUSED", message: expect.stringContaining("not-done") } });
    const snapshot = JSON.parse((await send("snapshot")).stdout) as { effect: { file: string; bytes: number } };
    expect(statSync(join(cwd, "data", snapshot.effect.file)).size).toBe(snapshot.effect.bytes);
    const many = await send("set-point", "--thresholds", ..."1 2 3 4 5".split(" "));
    expect(JSON.parse(many.stdout)).toMatchObject({ error: { code: "COMMAND_REFUSED", message: expect.stringContaining("5 thresholds") } });
    expect(JSON.parse((await send("reboot")).stdout)).toMatchObject({ result: "obeyed", isBack: true });
    expect(node.output().stderr).toContain("Rebooted");

    // An attacker who can write to the node's command topics, but has no command key.
    expect(captured).toHaveLength(5);
    for (const { topic, payload } of [...captured]) expect(await spy.publish(topic, payload)).toBe(0);
    const altered = Buffer.from(captured[0]!.payload);
    altered[altered.indexOf("maxExit") + 7] = 3;
    await spy.publish(captured[0]!.topic, altered);
    const elsewhere = captured[0]!.topic.replace("set-point", "reboot");
    await spy.publish(elsewhere, captured[0]!.payload);
    const image = join(import.meta.dirname, "../../../agents/activity/model.dmm");
    const counters = readFileSync(join(cwd, "alice", "counters.json"), "utf8");
    const update = await send("model-update", "--image", image, "--agent", "activity");
    expect([update.code, JSON.parse(update.stdout)]).toMatchObject([1, { error: { code: "OTA_NOT_BUILT" } }]);
    expect(readFileSync(join(cwd, "alice", "counters.json"), "utf8")).toBe(counters);
    expect(captured).toHaveLength(5 + 7); // those above once more, and nothing of the update
    // Stays as it was ordered, although the process began anew.
    const reportsBefore = askedByTelemetry.length;
    await until(() => askedByTelemetry.length >= reportsBefore + 3, "three more reports");

    node.interrupt();
    expect(await run).toBe(0);
    const report = JSON.parse(node.output().stdout) as {
      exits: number[];
      asked: number;
      reboots: number;
      commands: Record<string, number>;
    };
    expect(report.reboots).toBe(1);
    expect(report.commands).toMatchObject({ obeyed: 0, older: 4, replayed: 1, unsigned: 1, "wrong-verb": 1, malformed: 0 });
    expect(report.exits[0]).toBeGreaterThan(0);
    expect(report.exits.slice(1)).toEqual([0, 0, 0]); // the ordered maxExit holds after the reboot
    expect([report.asked, asks.size]).toEqual([askedBefore, askedBefore]); // no new ask since
    spy.client.end(true);
  });

  it("a node that the broker does not know, or that has no command key → a failure that says so", async () => {
    const cwd = site.folder;
    const unknown = await cli(["ota", "wrist-9", "reboot", "--identity", "alice", "--wait-seconds", "0.5", "--json"], { cwd });
    expect([unknown.code, JSON.parse(unknown.stdout)]).toMatchObject([1, { error: { code: "NODE_UNKNOWN" } }]);

    const keyless = join(cwd, "wrist-1", "keyless.json");
    const { commandKey: _, ...config } = JSON.parse(readFileSync(join(cwd, "wrist-1", "dormouse.json"), "utf8")) as Record<string, string>;
    writeFileSync(keyless, JSON.stringify(config));
    const node = fakeIo({ cwd });
    const run = runCli(wristArguments(site, "--headless", "--config", keyless), node.io);
    await until(() => node.output().stderr.includes("broker reached"), "the node is online");
    const refused = await cli(["ota", "wrist-1", "reboot", "--identity", "alice", "--wait-seconds", "60", "--json"], { cwd });
    expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([
      1,
      { error: { code: "COMMAND_REFUSED", message: expect.stringContaining("no command key") } },
    ]);
    node.interrupt();
    expect(await run).toBe(0);
  });
});
