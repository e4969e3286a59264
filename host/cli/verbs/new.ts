import { existsSync, readdirSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { type Command, Option } from "commander";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { readCsvFolder } from "../../data/csv/csv-folder.ts";
import { makeFolder, writeFile } from "../common/files.ts";
import { type AgentKind, newAgentFiles } from "../common/new-agent.ts";
import { jsonOption } from "../common/options.ts";

interface NewOptions {
  readonly json: boolean;
  readonly kind: AgentKind;
  readonly data?: string;
}

/** `dormouse new`: the folder of an agent of one's own. */
export function registerNew(program: Command, io: CliIo): void {
  program
    .command("new")
    .description("Create the folder of an agent of your own: agent.ts, README.md, .gitignore.")
    .argument("<folder>", "the folder to create; its name becomes the agent's")
    .addOption(
      new Option("--kind <kind>", "write it for an IMU (imu: ax ay az gx gy gz), or for recordings of any channels (csv)")
        .choices(["imu", "csv"])
        .makeOptionMandatory(),
    )
    .option("--data <dir>", "read rate and channels from these CSV recordings, with --kind csv (default: 3 channels at 50 Hz)")
    .addOption(jsonOption())
    .addHelpText("after", "\nExamples:\n  $ dormouse new gestures --kind imu\n  $ dormouse new pump --kind csv --data ~/pump-recordings")
    .action((folder: string, options: NewOptions) => create(io, folder, options));
}

function create(io: CliIo, given: string, { kind, data, json }: NewOptions): void {
  const out = createOutput(io, json);
  const folder = resolve(io.cwd, given);
  const name = basename(folder);
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
    throw new ConfigError(
      "AGENT_NAME",
      `"${name}" is no agent's name: give lower-case letters, digits and dashes, a letter first, at most 32.`,
    );
  if (kind === "imu" && data !== undefined)
    throw new ConfigError("NEW_OPTIONS", "--data goes with --kind csv: an IMU's channels are known. Leave it out.");
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new ConfigError("FOLDER_TAKEN", `${folder} is there and not empty: nothing was written. Choose another name.`);
  const read = data === undefined ? undefined : readCsvFolder(resolve(io.cwd, data));
  const shape = read === undefined ? undefined : { rateHz: read.rateHz, channels: read.channels.length };
  const files = newAgentFiles(name, kind, {
    folder: relative(io.cwd, folder) || ".",
    ...(data === undefined ? {} : { data }),
    ...(shape && { shape }),
  });
  makeFolder(folder);
  const paths = Object.entries(files).map(([file, text]) => {
    const path = join(folder, file);
    writeFile(path, text);
    return path;
  });
  for (const path of paths) out.say(`wrote ${path}`);
  out.say(`Its README.md has the next steps.`);
  out.document({ name, kind, folder, files: paths, ...shape });
}
