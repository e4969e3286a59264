import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../host/cli/program.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createLinkWriter } from "../../../host/link/stream.ts";
import { cli, fakeIo } from "./fake-io.ts";
import { tempFolder, writeAgent } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const document = (stdout: string) => {
  expect(stdout.trim().split("\n")).toHaveLength(1);
  return JSON.parse(stdout) as Record<string, unknown>;
};

describe("demo", () => {
  it("asks, is answered, drains and loses nothing", async () => {
    writeAgent(folder.path);
    const { code, stdout, stderr } = await cli(["demo", "--agent", folder.path, "--seconds", "20", "--speed", "40", "--json"]);
    expect(stderr).toContain("cloud answers");
    expect(code).toBe(0);
    const summary = document(stdout);
    const keys = [
      "agent",
      "seconds",
      "decisions",
      "events",
      "asked",
      "answered",
      "expired",
      "refused",
      "evicted",
      "pending",
      "lost",
      "exits",
      "meanMacs",
    ];
    expect(Object.keys(summary).slice(0, keys.length)).toEqual(keys);
    expect(summary).toMatchObject({ agent: "trembler", seconds: 20, decisions: 15, pending: 0, lost: 0, expired: 0 });
    expect(summary.answered).toBeGreaterThanOrEqual(1);
    expect(summary.asked).toBe(summary.answered);
    expect(summary.exits).toEqual([0, 0, 0, 15]);
    expect(summary.meanMacs).toBeGreaterThan(0);
  });

  it("draws on a terminal and leaves the summary below", async () => {
    writeAgent(folder.path);
    const drawn: (readonly string[])[] = [];
    const terminal = {
      size: () => ({ columns: 80, rows: 24 }),
      draw: (lines: readonly string[]) => drawn.push(lines),
      finish: () => {},
      onResize: () => () => {},
    };
    const { stdout } = await cli(["demo", "--agent", folder.path, "--seconds", "4", "--speed", "20"], { terminal });
    expect(drawn.length).toBeGreaterThan(2);
    expect(drawn.at(-1)!.length).toBeLessThan(24);
    expect(drawn.at(-1)!.join("\n")).toContain("● online");
    expect(stdout).toContain("0 lost");
    expect(stdout).toContain("Stopped at exit 1: 0 %, 2: 0 %, 3: 0 %, 4: 100 %."); // the asked, unsure ones, too
  });

  it("ends in good order when it is interrupted", async () => {
    writeAgent(folder.path);
    const { io, interrupt, output } = fakeIo();
    const done = runCli(["demo", "--agent", folder.path, "--headless", "--json"], io);
    setTimeout(interrupt, 400);
    expect(await done).toBe(0);
    expect(document(output().stdout)).toMatchObject({ pending: 0, lost: 0 });
  });
});

describe("run", () => {
  it("decides alone without a broker, and makes the node's identity the first time", async () => {
    writeAgent(folder.path);
    const args = ["run", ".", "--seconds", "10", "--speed", "max", "--headless", "--json"];
    const { code, stdout, stderr } = await cli(args, { cwd: folder.path });
    expect(code).toBe(0);
    expect(document(stdout)).toMatchObject({ decisions: 7, asked: 0, engine: "simd" });
    expect(stderr).toContain("New node dormouse-");
    expect(JSON.parse(readFileSync(join(folder.path, "dormouse.json"), "utf8"))).toMatchObject({ site: "home" });
    expect((await cli(args, { cwd: folder.path })).stderr).not.toContain("New node");
  });

  it("is governed as a board is, when it is told which", async () => {
    const cwd = folder.path;
    const run = ["run", "activity", "--seconds", "60", "--speed", "max", "--json"];
    const governed = JSON.parse((await cli([...run, "--board", "nrf52840-dk", "--radio", "lte-m"], { cwd })).stdout);
    expect(governed.board).toBe("nrf52840-dk");
    expect(governed.power.stateOfCharge).toBeLessThan(1);
    expect(governed.power.watts).toBeGreaterThan(0);
    expect(governed.lost).toBe(0);
    const free = JSON.parse((await cli(run, { cwd })).stdout);
    expect(free.power).toBeUndefined();
    // No shallower exit was measured to cost nothing, so a board that has what it needs decides as one without limits does.
    expect(governed.exits).toEqual(free.exits);
    const noPower = await cli([...run, "--board", "linux-x64"], { cwd });
    expect(JSON.parse(noPower.stdout).error.code).toBe("BOARD_NO_POWER");
    const noBoard = await cli([...run, "--radio", "ble"], { cwd });
    expect(JSON.parse(noBoard.stdout).error.code).toBe("RADIO_WITHOUT_BOARD");
  });

  it("says that a folder is no file with the node's identity", async () => {
    const { code, stderr } = await cli(["run", "activity", "--config", folder.path, "--seconds", "1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/this node's identity .* is not a regular file.*--config FILE/);
  });

  it("decides alone when the broker cannot be reached, and says so", async () => {
    writeAgent(folder.path);
    const args = ["run", ".", "--broker", "mqtt://127.0.0.1:1", "--seconds", "4", "--speed", "8", "--deadline-seconds", "0.2", "--json"];
    const { code, stdout, stderr } = await cli(args, { cwd: folder.path });
    expect(code).toBe(0);
    expect(stderr).toContain("no broker");
    const summary = document(stdout);
    expect(summary).toMatchObject({ decisions: 3, answered: 0, pending: 0, lost: 0 });
    expect(summary.asked).toBeGreaterThanOrEqual(1);
    expect(summary.expired).toBe(summary.asked);
  });

  it("gives the same decisions on every engine", async () => {
    writeAgent(folder.path);
    const runs = await Promise.all(
      ["scalar", "simd"].map((engine) =>
        cli(["run", ".", "--seconds", "6", "--speed", "max", "--verbose", "--engine", engine], { cwd: folder.path }),
      ),
    );
    expect(runs[0]!.stdout).toContain("MACs: unsure at every exit, and nobody to ask");
    expect(runs[1]!.stdout).toBe(runs[0]!.stdout);
  });
});

describe("run and cloud over a broker of their own", () => {
  it("share ledgers that agree", async () => {
    writeAgent(folder.path);
    const broker = fakeIo();
    const brokerDone = runCli(["broker", "--port", "0"], broker.io);
    while (!broker.output().stdout.includes("Broker at")) await new Promise((resolve) => setTimeout(resolve, 5));
    const url = /mqtt:\S+\d/.exec(broker.output().stdout)![0];
    const cloud = fakeIo({ cwd: folder.path });
    const cloudDone = runCli(["cloud", "--agent", ".", "--broker", url, "--ledger", "cloud.jsonl", "--json"], cloud.io);
    while (!cloud.output().stderr.includes("reached")) await new Promise((resolve) => setTimeout(resolve, 5));
    const run = await cli(["run", ".", "--broker", url, "--ledger", "node.jsonl", "--seconds", "10", "--speed", "20", "--json"], {
      cwd: folder.path,
    });
    cloud.interrupt();
    expect(await cloudDone).toBe(0);
    broker.interrupt();
    expect(await brokerDone).toBe(0);
    const asked = document(run.stdout).asked as number;
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(document(cloud.output().stdout)).toMatchObject({ agent: "trembler", received: asked, answered: asked });
    const compared = await cli(["inspect", "node.jsonl", "cloud.jsonl", "--json"], { cwd: folder.path });
    expect(document(compared.stdout)).toMatchObject({ kind: "ledgers", asked, answered: asked, pending: 0, lost: 0 });
  });

  it("keep what --personalize learned in a file that the next run goes on from", async () => {
    writeAgent(folder.path);
    const { exits, ...image } = readImage(new Uint8Array(readFileSync(join(folder.path, "model.dmm"))));
    const surer = exits.map((exit) => ({ ...exit, temperature: { ...exit.temperature, shift: exit.temperature.shift + 5 } }));
    writeFileSync(join(folder.path, "sure.dmm"), writeImage({ ...image, exits: surer }));
    const source = readFileSync(join(folder.path, "agent.ts"), "utf8");
    writeFileSync(join(folder.path, "agent.ts"), source.replace('teacher: ["model.dmm"]', 'teacher: ["sure.dmm"]'));
    const broker = fakeIo();
    const brokerDone = runCli(["broker", "--port", "0"], broker.io);
    while (!broker.output().stdout.includes("Broker at")) await new Promise((resolve) => setTimeout(resolve, 5));
    const url = /mqtt:\S+\d/.exec(broker.output().stdout)![0];
    const cloud = fakeIo({ cwd: folder.path });
    const cloudDone = runCli(["cloud", "--agent", ".", "--broker", url, "--json"], cloud.io);
    while (!cloud.output().stderr.includes("reached")) await new Promise((resolve) => setTimeout(resolve, 5));
    const run = () =>
      cli(["run", ".", "--broker", url, "--personalize", "state/mine.safetensors", "--seconds", "12", "--speed", "20", "--json"], {
        cwd: folder.path,
      });
    const windowsOf = (stdout: string) => (document(stdout).personalization as { windows: number[]; learned: number }).windows;
    const first = windowsOf((await run()).stdout);
    const second = windowsOf((await run()).stdout);
    cloud.interrupt();
    broker.interrupt();
    expect([await cloudDone, await brokerDone]).toEqual([0, 0]);
    const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
    expect(sum(first)).toBeGreaterThan(0); // its cloud is the same net, and sure of itself
    expect(sum(second)).toBeGreaterThan(sum(first));
    expect(statSync(join(folder.path, "state", "mine.safetensors")).mode & 0o777).toBe(0o600);
  });

  it("refuse to adapt what nothing is known of, a file that is none, and a board", async () => {
    writeAgent(folder.path);
    writeFileSync(join(folder.path, "torn.safetensors"), "x");
    const refused = async (...args: string[]) =>
      JSON.parse((await cli(["run", ".", "--json", ...args], { cwd: folder.path })).stdout).error.code;
    const url = "mqtt://127.0.0.1:1";
    expect(await refused("--personalize", "torn.safetensors", "--broker", url)).toBe("BAD_ADAPTATION");
    expect(await refused("--personalize", "mine")).toBe("PERSONALIZE_ALONE");
    expect(await refused("--personalize", "mine", "--board", "pico")).toBe("PERSONALIZE_WITH_BOARD");
    writeFileSync(
      join(folder.path, "agent.ts"),
      readFileSync(join(folder.path, "agent.ts"), "utf8").replace('prior: "lda-prior.safetensors",', ""),
    );
    expect(await refused("--personalize", "mine", "--broker", url)).toBe("ADAPT_NO_PRIOR");
  });

  it("says how to mend a broker address that can never work", async () => {
    writeAgent(folder.path);
    const { code, stderr } = await cli(["cloud", "--agent", ".", "--broker", "ftp://nowhere"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain("mqtt://");
  });
});

describe("inspect", () => {
  it("shows what an image holds", async () => {
    writeAgent(folder.path);
    const { stdout } = await cli(["inspect", join(folder.path, "model.dmm"), "--json"]);
    const shown = document(stdout);
    expect(shown).toMatchObject({ kind: "image", name: "random-7", shapes: { channels: 6, windowPatches: 32 } });
    expect(shown.exits).toHaveLength(4);
    expect((shown.sections as { section: string }[]).map(({ section }) => section)).toEqual([
      "features",
      "blocks",
      "exits",
      "tables",
      "tensors",
      "manifest",
      "model",
      "input",
      "head",
      "smoothing",
      "lda",
    ]);
    expect(shown).toMatchObject({ format: 2, needs: { blockKinds: [1, 2] }, runs: { formats: [1, 2], blockKinds: [1, 2] } });
    const { stdout: text } = await cli(["inspect", join(folder.path, "model.dmm")]);
    expect(text).toContain("never");
    expect(text).toMatch(/answers, of all {2}error ≤ {2}MACs per window {2}weight bytes read per window\n/);
    expect(text).toContain("the shares of the exits add up");
  });

  it("writes an image of an older format in the newest one", async () => {
    const old = join(packageRoot(), "test", "golden", "fall-format-1.dmm");
    const to = join(folder.path, "new.dmm");
    const { code, stdout } = await cli(["inspect", old, "--upgrade", to, "--json"]);
    expect({ code, ...document(stdout) }).toMatchObject({ code: 0, kind: "upgrade", format: { from: 1, to: 2 } });
    expect(readImage(readFileSync(to))).toEqual(readImage(readFileSync(old)));
    expect((await cli(["inspect", join(folder.path, "new.dmm"), "--upgrade", to, "--rate-hz", "5", "--json"])).code).not.toBe(0);
  });

  it("refuses a corrupt image with its reason", async () => {
    writeAgent(folder.path);
    const path = join(folder.path, "model.dmm");
    const bytes = readFileSync(path);
    bytes[bytes.length - 40]! ^= 1;
    writeFileSync(path, bytes);
    const { code, stderr } = await cli(["inspect", path]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/checksum|corrupt/);
  });

  it("counts the frames of a link stream, and a replay of it decides", async () => {
    writeAgent(folder.path);
    const path = join(folder.path, "day.dls");
    const chunks: Uint8Array[] = [];
    const writer = createLinkWriter((bytes) => chunks.push(bytes.slice()));
    for (let tick = 0; tick < 640; tick += 16) writer.sensor(0, tick < 320 ? tick : tick + 4, 6, new Int16Array(16 * 6).fill(tick));
    writeFileSync(path, Buffer.concat(chunks));
    expect(document((await cli(["inspect", path, "--json"])).stdout)).toMatchObject({
      kind: "stream",
      bad: 0,
      sensorFrames: 640,
      gaps: 1,
      seconds: 12.88,
    });
    const run = await cli(["run", ".", "--sensor", "replay:day.dls", "--speed", "max", "--json"], { cwd: folder.path });
    expect(document(run.stdout)).toMatchObject({ decisions: 10, gaps: 1, resets: 0 });
  });

  it("asks for the other ledger, and names a file that is not there", async () => {
    const path = join(folder.path, "node.jsonl");
    writeFileSync(path, '{"id":"00"}\n');
    expect((await cli(["inspect", path])).stderr).toContain("give the other end's too");
    expect((await cli(["inspect", join(folder.path, "none")])).stderr).toContain("cannot read");
    const text = join(folder.path, "notes.txt");
    writeFileSync(text, "neither an image nor a link stream");
    const refused = await cli(["inspect", text]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("holds no link frame");
  });
});

describe("inspect of two ledgers", () => {
  const id = (n: number) => n.toString(16).padStart(32, "0");
  const line = (n: number, state: string) => `${JSON.stringify({ id: id(n), node: "wrist-1", state, wallMillis: n })}\n`;
  const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text);
  const compare = (...args: string[]) => cli(["inspect", ...args], { cwd: folder.path });

  it("refuses files that hold no entry, whichever end they are given for", async () => {
    write("node.jsonl", line(1, "answered"));
    write("passwd", "root:x:0:0:root:/root:/bin/bash\n");
    write("junk.jsonl", '{"level":"info"}\n{"id":"00","state":"answered"}\n');
    for (const files of [
      ["passwd", "junk.jsonl"],
      ["node.jsonl", "passwd"],
      ["junk.jsonl", "node.jsonl"],
    ]) {
      const { code, stdout } = await compare(...files, "--json");
      expect(code).toBe(1);
      expect(document(stdout)).toMatchObject({ error: { code: "NOT_A_LEDGER" } });
    }
  });

  it("takes an empty one for an end that saw no ask, skips a torn last line, and counts every other", async () => {
    write("node.jsonl", `${line(1, "answered")}${line(2, "expired")}{"id":"${id(3)}","sta`);
    write("cloud.jsonl", "");
    const whole = document((await compare("node.jsonl", "cloud.jsonl", "--json")).stdout);
    expect(whole).toMatchObject({ asked: 2, lost: 0, neverAtCloud: 2, unreadable: { node: 0, cloud: 0 } });
    expect((await compare("node.jsonl", "cloud.jsonl")).stdout).not.toContain("not read");
    write("node.jsonl", `${line(1, "answered")}{"id":"${id(3)}","sta\n${line(2, "expired")}`);
    write("cloud.jsonl", `null\nx\n${line(1, "answered")}`);
    const holed = document((await compare("node.jsonl", "cloud.jsonl", "--json")).stdout);
    expect(holed).toMatchObject({ asked: 2, lost: 0, unreadable: { node: 1, cloud: 2 } });
    expect((await compare("node.jsonl", "cloud.jsonl")).stdout).toContain("not read: 1 line of the node's ledger and 2 of the cloud's");
  });
});

describe("provision", () => {
  const made = async (...args: string[]) => (await cli(["provision", ...args, "--site", "lab"], { cwd: folder.path })).stdout;

  it("says whose identity it made, and the next command as it works", async () => {
    const broker = "mqtts://broker.example:8883";
    expect(await made("wrist-1", "--broker", broker)).toMatch(/dormouse run <agent> --identity wrist-1\n/);
    expect(await made("wrist-2")).toContain("--identity wrist-2 --broker mqtts://…:8883");
    const operator = await made("alice", "--as", "operator", "--broker", "mqtts://broker.example:9884");
    expect(operator).toContain("Made operator alice of site lab");
    expect(operator).toContain("common name operator");
    expect(operator).toMatch(/dormouse ota <node> reboot --identity alice\n/);
    const worker = await made("worker", "--as", "cloud", "--broker", "mqtts://broker.example:9884");
    expect(worker).toContain("Made cloud worker of site lab");
    expect(worker).toContain("--identity worker --broker mqtts://broker.example:9884");
    expect(await made("localhost", "--as", "broker")).toContain("chown -R mosquitto localhost");
    expect(readFileSync(join(folder.path, "localhost", "mosquitto.conf"), "utf8")).toContain(`chown -R mosquitto ${folder.path}/localhost`);
  });
});

describe("fits --quick", () => {
  it("promises nothing of what it did not measure", async () => {
    const { code, stdout } = await cli(["fits", "activity", "--board", "pico", "--quick"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^activity may fit pico: code and stack not measured\.\n/);
  });
});

describe("doctor, boards and agents", () => {
  it("list what is there, for people and for programs", async () => {
    for (const [verb, key] of [
      ["boards", "boards"],
      ["agents", "agents"],
    ] as const) {
      expect((await cli([verb])).stdout).toMatch(/activity|pico/);
      expect(document((await cli([verb, "--json"])).stdout)[key]).toBeInstanceOf(Array);
    }
  });

  it("check the core and name optional tools with the way to get them", async () => {
    const { stdout } = await cli(["doctor", "--json"], { env: { PATH: "" } });
    const { checks } = document(stdout) as unknown as { checks: { check: string; state: string; mend?: string }[] };
    expect(checks.filter(({ check }) => check.startsWith("core")).map(({ state }) => state)).toEqual(["ok", "ok"]);
    expect(checks.filter(({ state }) => state === "failed")).toEqual([]);
    expect(checks.find(({ check }) => check === "agent activity lda-prior.safetensors")).toMatchObject({ state: "ok" });
    for (const tool of ["arm-none-eabi-gcc", "qemu-system-arm", "dpkg-deb"])
      expect(checks.find(({ check }) => check === tool)).toMatchObject({ state: "missing" });
    expect(checks.find(({ check }) => check === "gcc")).toMatchObject({ state: "missing", mend: "sudo apt-get install gcc" });
  });
});
