import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../host/cli/program.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { openOutbox } from "../../../host/mqtt/outbox/outbox.ts";
import { startBroker } from "../../../host/mqtt/transport/broker.ts";
import { until } from "../../support/until.ts";
import { cli, fakeIo } from "./fake-io.ts";
import { tempFolder } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => {
  child?.kill("SIGKILL");
  folder.remove();
});

type Output = "pipe" | number;
interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line until it ends; `onOutput` sees its standard output. */
async function ending(
  args: readonly string[],
  outputs: readonly [Output, Output],
  onOutput?: (child: ChildProcess) => void,
): Promise<Ending> {
  const running = spawn(process.execPath, [join(packageRoot(), "dist", "dormouse.js"), ...args], {
    cwd: folder.path,
    stdio: ["ignore", ...outputs],
  });
  child = running;
  let [stdout, stderr] = ["", ""];
  running.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk;
    onOutput?.(running);
  });
  running.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = (await once(running, "close")) as [number | null];
  return { code, stdout, stderr };
}

const RUN = ["run", "activity", "--headless", "--verbose", "--speed", "20", "--seconds", "3600"];
const isFullThere = existsSync("/dev/full");
const full = (): number => openSync("/dev/full", "w");

describe("a verb whose output is gone", () => {
  it("the reader of the log goes → it ends with 141, long before its time", async () => {
    const { code, stderr } = await ending(RUN, ["pipe", "pipe"], ({ stdout }) => stdout?.destroy());
    expect(code).toBe(141);
    expect(stderr).not.toMatch(/at .*\.js:\d+/);
  });

  it.skipIf(!isFullThere).each([
    ["run", RUN],
    ["demo", ["demo", "--headless", "--verbose", "--speed", "20", "--seconds", "3600"]],
    ["boards", ["boards"]],
    ["broker", ["broker", "--port", "0"]],
  ])("%s to a full disk → a sentence, and code 1 (needs /dev/full)", async (_, args) => {
    const { code, stderr } = await ending(args, [full(), "pipe"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot write the output: the disk is full \(ENOSPC\)/);
    expect(stderr).not.toMatch(/at .*\.js:\d+/);
  });

  it.skipIf(!isFullThere)("the log's disk is full → code 1 (needs /dev/full)", async () => {
    expect((await ending([...RUN, "--log", "json", "--log-level", "debug"], ["pipe", full()])).code).toBe(1);
  });
});

describe("what goes wrong in the middle", () => {
  it.each([
    ["an exception", "setImmediate(() => { throw new Error('boom'); });"],
    ["a rejection", "Promise.reject(new Error('boom'));"],
  ])("%s that nobody catches → one sentence, one document, code 1", async (_, line) => {
    writeFileSync(join(folder.path, "agent.ts"), `${line}\nawait new Promise((resolve) => setTimeout(resolve, 600_000));\n`);
    const { code, stdout, stderr } = await ending(["run", ".", "--json"], ["pipe", "pipe"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ error: { code: "UNEXPECTED", message: "boom" } });
    expect(stderr).toMatch(/^dormouse: unexpected: boom\. [^\n]*\n$/);
  });

  it.each([["demo"], ["run", "activity", "--broker"]])("%s: an exception in the loop → it ends with code 1", async (verb, ...more) => {
    const broker = await startBroker({ port: 0 });
    let lines = 0;
    const stdout = () => {
      if (++lines === 8) throw new Error("boom");
    };
    const args = [verb, ...more, ...(more.length > 0 ? [broker.url] : []), "--headless", "--verbose", "--speed", "50"];
    const { code, stderr } = await cli(args, { cwd: folder.path, stdout });
    expect([code, stderr]).toEqual([1, expect.stringContaining("unexpected: boom")]);
    expect(broker.clients()).toBe(0);
    await broker.close();
  });
});

describe("an interrupt while asks wait for answers", () => {
  /** A node whose asks nobody answers, interrupted when it has said `when`. */
  async function interrupted(when: RegExp, ...args: string[]) {
    const broker = await startBroker({ port: 0 });
    const fake = fakeIo({ cwd: folder.path });
    const run = runCli(
      ["run", "activity", "--broker", broker.url, "--data-dir", "data", "--deadline-seconds", "3600", "--json", ...args],
      fake.io,
    );
    await until(() => when.test(fake.output().stderr), `it says ${when}`);
    fake.interrupt();
    const code = await run;
    await broker.close();
    const summary = JSON.parse(fake.output().stdout) as { node: string; pending: number };
    const outbox = openOutbox({ path: join(folder.path, "data", `${summary.node}.outbox`) });
    const waiting = outbox.pending.size;
    outbox.close();
    return { code, pending: summary.pending, waiting, stderr: fake.output().stderr };
  }

  it.each([
    ["in the middle", /→ asked/, ["--speed", "40"]],
    ["while it waits for the last answers", /waiting for the last answers/, ["--speed", "max", "--seconds", "120"]],
    ["while a replay waits for room", /broker reached.*→ asked/s, ["--speed", "max"]],
  ])("%s → it ends without them, and they wait on disk", async (_, when, args) => {
    const { code, pending, waiting, stderr } = await interrupted(when, ...args);
    expect(code).toBe(0);
    expect(pending).toBeGreaterThan(0);
    expect(waiting).toBe(pending);
    expect(stderr).toMatch(/Asks that wait in data for the next start: \d+\./);
  });
});

describe("a start that cannot succeed", () => {
  it.skipIf(!isFullThere).each([
    ["run", "activity"],
    ["cloud", "--workers", "1"],
    ["cloud", "--workers", "2"],
  ])("%s %s %s with a ledger that takes no line → said at once, code 1 (needs /dev/full)", async (...args) => {
    const { code, stdout } = await cli([...args.filter(Boolean), "--broker", "mqtt://127.0.0.1:1", "--ledger", "/dev/full", "--json"], {
      cwd: folder.path,
    });
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { error: { code: "LEDGER_UNWRITABLE" } }]);
  });

  it.each([
    ["demo", "demo --headless --seconds 20"],
    ["run", "run activity --headless --seconds 20"],
    ["broker", "broker --port 0"],
    ["cloud", "cloud --broker mqtt://127.0.0.1:1"],
  ])("%s with 64 open files → one sentence, code 1", (_, args) => {
    const program = join(packageRoot(), "dist", "dormouse.js");
    const { status, stderr } = spawnSync("sh", ["-c", `ulimit -n 64; exec "$0" "${program}" ${args}`, process.execPath], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^dormouse: [^\n]*EMFILE[^\n]*ulimit -n 1024\.\n$/);
  });

  it.skipIf(!existsSync("/proc/self"))("a data folder that cannot be made → said at once (needs /proc)", async () => {
    const { code, stdout } = await cli(["run", "activity", "--broker", "mqtt://127.0.0.1:1", "--data-dir", "/proc/x", "--json"], {
      cwd: folder.path,
    });
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { error: { code: "DATA_DIR_UNWRITABLE" } }]);
  });
});
