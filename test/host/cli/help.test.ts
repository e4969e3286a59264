import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../../host/cli/program.ts";
import { cli, fakeIo } from "./fake-io.ts";

/** The verbs that a description may begin with. */
const VERBS = new Set(
  `abort adapt add address aim allow answer append apply assume build certify check choose compare compile compute connect continue convert copy
  create decode discard display divide draw emulate flash generate hold inject inspect keep limit list listen log map measure name output print push
  read record remove replay report resample reach run score seed send serve set show sign simulate skip start stop store take train try use wait
  write`.split(/\s+/),
);
/** Words that give a machine a mouth, an ear or a mood. */
const PERSONS = /\b(says?|told|hears?|heard|speaks?|mourns?|born|doubts?|nobody|knows?|thinks?|greets?)\b/i;

const program = await createProgram(fakeIo().io);
const commands = [program, ...program.commands].map((command) => ({ name: command.name(), command }));

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help;
}

describe.each(commands)("$name --help", ({ command }) => {
  const options = command.options.filter(({ hidden, long }) => !hidden && long !== "--version");

  it("begins every description with a verb", () => {
    const texts = [command.description(), ...options.map(({ description }) => description)];
    expect(texts.filter((text) => !VERBS.has(text.split(/\W/, 1)[0]!.toLowerCase()))).toEqual([]);
  });

  it("shows an example", () => expect(helpOf(command)).toMatch(/^Examples?:\n {2}\$ dormouse /m));

  it("prints a default at most once per option, and none that is false", () => {
    const lines = helpOf(command)
      .replace(/\n {10,}/g, " ")
      .split("\n");
    for (const line of lines) expect(line.match(/default/g)?.length ?? 0, line).toBeLessThanOrEqual(1);
    expect(helpOf(command)).not.toContain("default: false");
  });

  it("is written in short sentences, and about machines, not persons", () => {
    const texts = [command.description(), ...options.map(({ description }) => description)];
    expect(texts.filter((text) => PERSONS.test(text))).toEqual([]);
    const sentences = texts.flatMap((text) => text.split(/[.;:] /));
    expect(sentences.filter((sentence) => sentence.split(/\s+/).length > 20)).toEqual([]);
  });
});

describe("dormouse --help", () => {
  it("lists every verb under a heading", () => {
    expect(program.commands.filter((command) => command.helpGroup() === "").map((command) => command.name())).toEqual([]);
  });

  it("marks an option that must be given as required", () => {
    const build = commands.find(({ name }) => name === "build")!;
    expect(helpOf(build.command).replace(/\n {10,}/g, " ")).toMatch(/--out <dir>.*\(required\)/);
  });

  it.each(["--help", "-h"])("of an unknown verb is a usage error: nosuch %s", async (flag) => {
    const { code, stdout, stderr } = await cli(["nosuch", flag]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("unknown command 'nosuch'");
  });
});
