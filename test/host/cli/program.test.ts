import { describe, expect, it } from "vitest";
import { createProgram } from "../../../host/cli/program.ts";
import { startBroker } from "../../../host/mqtt/transport/broker.ts";
import { freePort } from "../../support/broker.ts";
import { cli, fakeIo } from "./fake-io.ts";

const VERBS = [
  "demo",
  "run",
  "gateway",
  "diary",
  "cloud",
  "broker",
  "provision",
  "ota",
  "fleet",
  "watch",
  "new",
  "capture",
  "train",
  "eval",
  "simulate",
  "import",
  "generate",
  "eval-lm",
  "fits",
  "build",
  "flash",
  "emulate",
  "monitor",
  "inspect",
  "doctor",
  "boards",
  "agents",
];

describe("the command line", () => {
  it("has the verbs that work, and no other", async () => {
    expect((await createProgram(fakeIo().io)).commands.map((command) => command.name())).toEqual(VERBS);
  });

  it.each(VERBS)("%s --help has an example and takes --json", async (verb) => {
    const { code, stdout } = await cli([verb, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("--json");
    expect(stdout).toMatch(/Examples?:\n {2}\$ dormouse /);
    expect(stdout).toContain(`$ dormouse ${verb}`);
  });

  it("help lists every form of an option, and a default as it would be typed", async () => {
    const helpOf = async (verb: string) => (await cli([verb, "--help"])).stdout.replace(/\n +/g, " ");
    const run = await helpOf("run");
    expect(run).toContain("replay:FILE.csv");
    expect(run).toContain("max or 0");
    expect(await helpOf("cloud")).toContain("(default: 0/1)");
  });

  it("names a board to emulate in place of one that no emulator knows, before it builds", async () => {
    const { code, stderr } = await cli(["emulate", "activity", "--board", "nrf52840-dk", "--data", "nowhere"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no emulator knows the nrf52840-dk: build for it, and emulate the \S+, which has the same core/);
  });

  it("says where a verb's own help is", async () => {
    expect((await cli(["eval", "activity"])).stderr).toContain("(dormouse eval --help shows how)");
    expect((await cli(["run", "activity", "--bogus"])).stderr).toContain("(dormouse run --help shows how)");
  });

  it("refuses an unknown verb and says where help is", async () => {
    const { code, stdout, stderr } = await cli(["dance"]);
    expect(code).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toContain("dance");
    expect(stderr).toContain("--help");
  });

  it.each([
    ["demo", "--speed", "-1"],
    ["demo", "--seconds", "soon"],
    ["demo", "--seed", "1.5"],
    ["run", "activity", "--engine", "quantum"],
    ["cloud", "--broker", "mqtt://localhost", "--worker", "2/2"],
    ["cloud"],
    ["eval", "activity"],
    ["broker", "--port", "99999"],
    ["broker", "--metrics", "http://x"],
    ["provision", "wrist-1", "--as", "king"],
    ["ota", "wrist-1", "dance"],
    ["ota", "wrist-1", "set-point", "--thresholds", "1.5"],
  ])("refuses %s %s %s %s", async (...args) => {
    const { code, stderr } = await cli(args);
    expect(code).not.toBe(0);
    expect(stderr).toContain("error:");
  });

  it("reports an error of ours in one sentence with the way to mend it, and as JSON where asked", async () => {
    const { code, stdout, stderr } = await cli(["run", "nobody", "--json"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^dormouse: no agent "nobody": .*Run dormouse agents.*\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "AGENT_UNKNOWN" } });
  });

  it.each([
    ["unknown option '--sped'", "run", "activity", "--sped", "3"],
    ["unknown command 'nosuch'", "nosuch"],
    ["required option '--data <dir>' not specified", "eval", "activity"],
    ["'soon' is invalid", "demo", "--seconds", "soon"],
  ])("prints a usage error as a document, too, where asked: %s", async (message, ...args) => {
    const { code, stdout, stderr } = await cli([...args, "--json"]);
    expect(code).toBe(1);
    expect(stderr).toContain("--help");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "USAGE", message: expect.stringContaining(message) } });
    expect(JSON.parse(stdout).error.message).not.toMatch(/^error:/);
  });

  it("prints no error document for help", async () => {
    expect((await cli(["run", "--help", "--json"])).stdout).not.toContain('{"error"');
  });

  it.each([
    ["BROKER_OPEN", "broker", "--host", "0.0.0.0"],
    ["BROKER_PLAIN_TEXT", "cloud", "--broker", "mqtt://broker.example"],
    ["BROKER_MISSING", "ota", "wrist-1", "reboot"],
    ["COMMAND_KEY_MISSING", "ota", "wrist-1", "reboot", "--broker", "mqtt://127.0.0.1"],
    ["FILE_UNREADABLE", "run", "activity", "--identity", "nowhere", "--broker", "mqtts://broker.example"],
  ])("refuses what would be open or unsigned: %s", async (code, ...args) => {
    const run = await cli([...args, "--json"]);
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code } });
  });

  it("closes the broker whose metrics cannot be served, or whose collector has no address", async () => {
    const port = await freePort();
    const other = await startBroker({ port: 0 });
    const run = await cli(["broker", "--port", String(port), "--metrics", String(other.port), "--json"]);
    await other.close();
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "METRICS_LISTEN_FAILED" } });
    for (const address of ["foo", "localhost:4318"]) {
      const refused = await cli(["broker", "--port", String(port), "--otlp", address, "--json"]);
      expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "OTLP_URL", message: expect.stringContaining(address) } });
    }
    await (await startBroker({ port })).close(); // the port is free again
  });

  it("shows a stack trace only with DORMOUSE_DEBUG", async () => {
    expect((await cli(["run", "nobody"])).stderr).not.toContain("    at ");
    expect((await cli(["run", "nobody"], { env: { DORMOUSE_DEBUG: "1" } })).stderr).toContain("    at ");
  });
});
