import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Command, CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledAgents } from "../../host/agent/registry.ts";
import { createProgram } from "../../host/cli/program.ts";
import { targetIds } from "../../host/firmware/mcu/target.ts";
import { startBroker } from "../../host/mqtt/transport/broker.ts";
import { loadBoards } from "../../host/power/board.ts";
import { createBench } from "../bench/program.ts";
import { writeCsvFolder } from "../support/csv-folder.ts";
import { commandLines, inlineCommands, readmePaths, readText } from "../support/readme.ts";
import { cli, fakeIo } from "./cli/fake-io.ts";
import { tempFolder } from "./cli/temp-agent.ts";

const documents = readmePaths().filter((path) => !path.endsWith("NOTEBOOK.md")); // a log keeps the commands of its time
const fenced = new Set(documents.flatMap((path) => commandLines(readText(path))));
const inline = new Set(documents.flatMap((path) => inlineCommands(readText(path))));
const dormouse = (lines: Iterable<string>): string[] =>
  [...lines].map((line) => line.replace(/^npx /, "")).filter((line) => /^dormouse /.test(line));

/** Run below, in this order and in one folder, with options that shorten them. */
const RUN: readonly (readonly [command: string, more: string])[] = [
  ["dormouse train --data recordings --name gestures", "--steps 2 --teachers 0"],
  ["dormouse eval runs/gestures/seed-1 --data recordings", ""],
  ["dormouse run runs/gestures/seed-1 --sensor replay:recordings/s03_walk.csv", "--headless --speed max"],
  ["dormouse new pump --kind csv --data recordings", ""],
  ["dormouse train --data recordings --name pump --out pump/runs", "--steps 2 --teachers 0"],
  ["dormouse eval ./pump --data recordings", ""],
  ["dormouse simulate ./pump --data recordings", "--hours 0.1"],
  ["dormouse fits activity --board pico", "--quick"],
  ["dormouse build activity --target esp-idf --out components/activity", ""],
  ["dormouse agents", ""],
  ["dormouse run activity --board nrf52840-dk --radio lte-m --sensor synthetic", "--headless --speed max --seconds 20"],
  ["dormouse run activity --sensor synthetic", "--headless --speed max --seconds 20"],
  ["dormouse diary", ""],
  ["dormouse diary --json", ""],
  ["dormouse diary --forget-today", ""],
  ["dormouse simulate activity --board nrf52840-dk --radio lte-m --html day.html", "--hours 0.1"],
  ["dormouse simulate fall --radio lte-m", "--hours 0.1"],
  ["dormouse simulate activity --board smart-glasses --ambient 35 --back-to-back --hours 4 --html heat.html", "--hours 0.1"],
  ["dormouse provision broker.example --as broker --site lab --ca authority --out broker", ""],
  ["dormouse provision wrist-1 --ca authority --broker mqtts://broker.example:8883", ""],
  ["dormouse provision worker --as cloud --ca authority", ""],
  ["dormouse provision homeassistant --as reader --ca authority", ""],
  ["dormouse provision alice --as operator --ca authority --broker mqtts://broker.example:8884", ""],
];

/** Run below over a broker of their own, whose URL takes the place of the one in the text. */
const OVER_BROKER = [
  "dormouse cloud --broker mqtt://127.0.0.1:1883",
  "dormouse run activity --sensor synthetic --broker mqtt://127.0.0.1:1883",
  "dormouse cloud --broker mqtt://127.0.0.1:1883 --ledger cloud.jsonl",
  "dormouse run activity --broker mqtt://127.0.0.1:1883 --ledger node.jsonl",
  "dormouse inspect node.jsonl cloud.jsonl",
];

/** Not run here, and why. The command lines of Dormouse among them are parsed all the same. */
const ELSEWHERE: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^npm (ci|start|test)$/, ".ci/run installs and tests; .ci/package runs the demo"],
  [/^npm run bench/, "takes minutes; test/bench has specs, .ci/nightly runs the long ones"],
  [/^npx vitest/, "runs specs"],
  [/^apt install/, "another program"],
  [/^mosquitto_sub /, "another program"],
  [/^(mosquitto_passwd|chown|echo|chmod) /, "test/host/gateway/owner-walk.test.ts runs them"],
  [/^dormouse (fleet|watch) /, "test/host/cli/fleet.test.ts"],
  [/^dormouse gateway /, "runs until it is stopped; test/host/gateway/owner-walk.test.ts walks that way"],
  [/^mosquitto -/, "another program; test/host/security/mosquitto.test.ts runs it on such a folder"],
  [/--data DIR|replay:DIR/, "needs recordings; test/agents and test/host/cli/eval.test.ts score them"],
  [/--runs runs\/activity/, "needs recordings"],
  [/stories(260K)?\.(bin|dmm)/, "needs stories260K; test/host/cli/language.test.ts imports and runs it"],
  [/^dormouse build activity --board pico/, "needs ARM gcc; test/boards/sizes.test.ts builds every board"],
  [
    /^dormouse build activity --board raspberry-pi-5/,
    "fetches a Node for Arm; test/host/firmware/package/gateway-image.test.ts builds the package",
  ],
  [/^dormouse (new|capture) gestures|gestures\/recordings|^dormouse build \.\/gestures/, ".ci/first-hour runs it from the packed package"],
  [/^dormouse flash/, "needs what build made; test/host/firmware/mcu/flash.test.ts"],
  [/^dormouse monitor \/dev/, "needs a device; test/host/cli/monitor.test.ts"],
  [/^dormouse inspect agents/, "test/host/cli/verbs.test.ts"],
  [/--personalize/, "needs a cloud; test/host/cli/verbs.test.ts"],
  [/^dormouse run assistant --broker/, "waits for questions; test/host/cli/assistant.test.ts"],
  [/--identity/, "needs a broker with TLS; test/host/security/mosquitto.test.ts and test/host/cli/commands.test.ts"],
  [/--provider (intents,)?openai/, "needs a model server; test/host/cli/endings.test.ts and test/host/cloud"],
  [/^dormouse cloud .*--workers 2$/, "starts processes; test/host/cli/cloud-processes.test.ts"],
];

const reasonOf = (line: string): string | undefined => ELSEWHERE.find(([pattern]) => pattern.test(line))?.[1];
const isRun = (line: string): boolean => RUN.some(([command]) => command === line) || OVER_BROKER.includes(line);

describe("command lines of READMEs and cards", () => {
  const lines = [...fenced].map((line) => line.replace(/^npx (?=dormouse)/, ""));

  it("are each run by a test or listed with the reason why not", () => {
    expect(lines.filter((line) => !isRun(line) && reasonOf(line) === undefined)).toEqual([]);
  });

  it("are all that the lists of this file name", () => {
    expect([...RUN.map(([command]) => command), ...OVER_BROKER].filter((line) => !lines.includes(line))).toEqual([]);
    expect(ELSEWHERE.filter(([pattern]) => !lines.some((line) => pattern.test(line))).map(String)).toEqual([]);
  });

  it.each(dormouse([...fenced, ...inline]))("%s: has options and arguments that the verb takes", async (line) => {
    const { verb, error } = await parse(await createProgram(fakeIo().io), wordsOf(line).slice(1));
    if (verb === undefined && !fenced.has(line) && isUnfinished(error)) return; // running text names a verb or an option
    expect(error).toBeUndefined();
    const [agent] = verb!.registeredArguments[0]?.name() === "agent" ? verb!.args : [];
    if (agent !== undefined && !agent.includes("/")) expect(bundledAgents()).toContain(agent);
    const { board } = verb!.opts<{ board?: string }>();
    if (board !== undefined) expect([...loadBoards().map(({ id }) => id), ...targetIds()]).toContain(board);
  });

  it.each(lines.filter((line) => /^npm run bench -- /.test(line)))("%s: has options and arguments that the bench takes", async (line) => {
    const { error } = await parse(createBench(fakeIo().io), line.split(" ").slice(4));
    expect(error).toBeUndefined();
  });
});

/** Words as a shell has them: quotes hold several together. */
const wordsOf = (line: string): string[] => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ""));

/** Whether a command line lacks something, and has nothing wrong. */
const isUnfinished = (error: unknown): boolean => error instanceof CommanderError && /missing/i.test(error.code);

/** Parses a command line as the program does, and runs nothing. */
async function parse(program: Command, args: readonly string[]): Promise<{ verb?: Command; error?: unknown }> {
  let verb: Command | undefined;
  for (const command of program.commands) {
    command.action((...given: unknown[]) => {
      verb = given.at(-1) as Command;
    });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
    return verb === undefined ? { error: "no verb was found" } : { verb };
  } catch (error) {
    return { error };
  }
}

describe("command lines that need Node alone", () => {
  let folder: ReturnType<typeof tempFolder>;
  beforeAll(() => {
    folder = tempFolder();
    mkdirSync(join(folder.path, "recordings"));
    writeCsvFolder(join(folder.path, "recordings"), 5, "walk");
  });
  afterAll(() => folder.remove());
  const words = (line: string): string[] => line.split(" ").slice(1).filter(Boolean);

  it.each(RUN)("%s %s: ends well", async (command, more) => {
    const { code, stderr } = await cli(words(`${command} ${more}`), { cwd: folder.path });
    expect(code, stderr).toBe(0);
  });

  it("cloud, run and inspect over a broker: every ask ends, none is lost", async () => {
    const broker = await startBroker({ port: 0 });
    const over = (line: string): string[] => words(line.replace("mqtt://127.0.0.1:1883", broker.url));
    const worker = fakeIo({ cwd: folder.path });
    try {
      const [, , cloud, run, inspect] = OVER_BROKER as [string, string, string, string, string];
      const serving = (await createProgram(worker.io)).parseAsync(over(cloud), { from: "user" });
      const node = await cli([...over(run), ..."--headless --speed 30 --seconds 90".split(" ")], { cwd: folder.path });
      expect(node.code, node.stderr).toBe(0);
      worker.interrupt();
      await serving;
      const both = await cli([...words(inspect), "--json"], { cwd: folder.path });
      const compared = JSON.parse(both.stdout) as { asked: number; answered: number };
      expect(compared).toMatchObject({ lost: 0, pending: 0 });
      expect(compared.asked).toBeGreaterThan(0);
    } finally {
      worker.interrupt();
      await broker.close();
    }
  });
});
