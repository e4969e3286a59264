import type { Command } from "commander";
import { sleep } from "../../agent/sensors/pace.ts";
import { createOutput } from "../../core/system/output.ts";
import { plainJson } from "../../core/system/plain-text.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { untilAborted } from "../../core/system/until-aborted.ts";
import { readMessage } from "../../mqtt/readers/readable-message.ts";
import { openReader } from "../../mqtt/readers/reader.ts";
import { type BrokerLinkOptions, readBroker, readIdentityOption, withBrokerLink } from "../common/broker-link.ts";
import { jsonOption, numberAtLeast } from "../common/options.ts";

interface Options extends BrokerLinkOptions {
  readonly broker: string;
  readonly site?: string;
  readonly seconds?: number;
}

/** `dormouse watch`: everything that nodes and workers tell of themselves, as JSON lines. */
export function registerWatch(program: Command, io: CliIo): void {
  withBrokerLink(program.command("watch"))
    .description("Print what nodes and workers tell of themselves: one JSON line per message, the retained first.")
    .requiredOption("--broker <url>", "connect to this broker, as in mqtt://127.0.0.1:1883 or mqtts://host:8884")
    .option("--site <name>", "print this site alone (default: the identity's, else every site)")
    .option("--seconds <n>", "stop after this many seconds (default: at Ctrl-C)", numberAtLeast(0.1))
    .addOption(jsonOption().default(false, "print JSON lines, as it always does"))
    .addHelpText("after", "\nExample:\n  $ dormouse watch --broker mqtt://127.0.0.1:1883 | jq 'select(.kind == \"event\")'")
    .action((options: Options) => watch(io, options));
}

async function watch(io: CliIo, options: Options): Promise<void> {
  const out = createOutput(io, true);
  const identity = readIdentityOption(io, options);
  const broker = readBroker(io, options, identity, options.broker)!;
  const connection = openReader({
    broker,
    site: options.site ?? identity?.site,
    clock: io.clock,
    onMessage(message) {
      const read = readMessage(message);
      if (read !== undefined) io.stdout(`${plainJson(read)}\n`);
    },
    onState: (state, detail) => out.note(`broker ${state}${detail === undefined ? "" : `: ${detail}`}`),
    onAnomaly: (code, message) => out.note(`${code}: ${message}`),
  });
  await (options.seconds === undefined ? untilAborted(io.interrupt) : sleep(io.clock, 1000 * options.seconds, io.interrupt));
  await connection.close();
}
