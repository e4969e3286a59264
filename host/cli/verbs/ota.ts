import { join, resolve } from "node:path";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput } from "../../core/system/output.ts";
import { readPrivate } from "../../core/system/private-file.ts";
import { showWait } from "../../core/system/progress.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import {
  COMMAND_VERBS,
  type CommandPayload,
  type CommandVerb,
  type Command as NodeCommand,
  PLANNED_VERBS,
} from "../../mqtt/commands/command.ts";
import { sendCommand } from "../../mqtt/commands/command-sender.ts";
import { nextCounter } from "../../security/command-counters.ts";
import { openCommandKey } from "../../security/command-key.ts";
import { AUTHORITY_FILES } from "../../security/site-authority.ts";
import { type BrokerLinkOptions, readBroker, readIdentityOption, withBrokerLink } from "../common/broker-link.ts";
import { jsonOption, numberAtLeast, wholeNumber } from "../common/options.ts";
import { otaResult } from "../common/ota-result.ts";

interface OtaOptions extends BrokerLinkOptions {
  readonly json: boolean;
  readonly broker?: string;
  readonly site?: string;
  readonly key?: string;
  readonly maxExit?: number;
  readonly hopPatches?: number;
  readonly askIntervalHops?: number;
  readonly thresholds?: readonly number[];
  readonly asks?: "on" | "off";
  readonly image?: string;
  readonly agent?: string;
  readonly counter: number;
  readonly expirySeconds: number;
  readonly waitSeconds: number;
}

/** `dormouse ota`: sends a node a signed command over the air. */
export function registerOta(program: Command, io: CliIo): void {
  withBrokerLink(program.command("ota"))
    .description("Send a node a command over the air, signed with the site's command key.")
    .argument("<node>", "the node's name")
    .addArgument(new Argument("<command>", `one of ${COMMAND_VERBS.join(", ")}`).argParser(commandVerb))
    .option("--broker <url>", "connect to this broker, as in mqtts://host:8884 (default: from the identity)")
    .option("--site <name>", "address a node of this site (default: from the identity)")
    .option("--key <file>", "sign with this key (default: command.key of the identity)")
    .option("--max-exit <n>", "set the deepest exit, counted from 0 (set-point)", wholeNumber(0, 7))
    .option("--hop-patches <n>", "set the patches between two decisions (set-point)", wholeNumber(1, 1024))
    .option("--ask-interval-hops <n>", "allow one ask per this many decisions (set-point)", wholeNumber(1, 65_535))
    .option("--thresholds <q15...>", "set the threshold of each exit, 0 to 32768, never below the certified ones (set-point)", q15)
    .addOption(new Option("--asks <state>", "allow or forbid asks (set-point)").choices(["on", "off"]))
    .addOption(new Option("--image <file>").hideHelp()) // of model-update, whose refusal says more than "unknown option"
    .addOption(new Option("--agent <name>").hideHelp())
    .option("--counter <n>", "use at least this counter, if a node refuses a lower one", wholeNumber(1), 1)
    .option(
      "--expiry-seconds <n>",
      "keep the command valid, and queued for a sleeping node, for this long",
      wholeNumber(1, 604_800),
      86_400,
    )
    .option("--wait-seconds <n>", "wait this long for the node's answer", numberAtLeast(0.1), 10)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse ota wrist-1 set-point --max-exit 1 --asks off --identity alice --broker mqtts://broker.example:8884\n  $ dormouse ota wrist-1 reboot --identity alice",
    )
    .action((node: string, verb: string, options: OtaOptions) => ota(io, node, verb, options));
}

async function ota(io: CliIo, node: string, name: string, options: OtaOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const planned = PLANNED_VERBS[name];
  if (planned !== undefined)
    throw new ConfigError("OTA_NOT_BUILT", `${name} does nothing: ${planned}. Bring an image onto the node with dormouse flash or build.`);
  const verb = name as CommandVerb;
  const identity = readIdentityOption(io, options);
  const site = options.site ?? identity?.site ?? "home";
  const broker = readBroker(io, options, identity, options.broker);
  if (broker === undefined)
    throw new ConfigError("BROKER_MISSING", "no broker given. Add --broker mqtts://host:8884, or --identity DIR with a broker URL.");
  const keyFile = options.key ?? (options.identity === undefined ? undefined : join(options.identity, AUTHORITY_FILES.commandKey));
  if (keyFile === undefined)
    throw new ConfigError("COMMAND_KEY_MISSING", "a command needs the site's signing key. Say --identity DIR or --key FILE.");
  const keyPath = resolve(io.cwd, keyFile);
  const key = openCommandKey(readPrivate(keyPath, "the command key", "Take an operator's identity, or name it with --key FILE."), keyPath);
  const countersPath = join(keyPath, "..", "counters.json");
  const wallMillis = io.clock.wall();
  const payload = payloadOf(verb, options);
  const notAfterWallMillis = Math.floor(wallMillis + options.expirySeconds * 1000);
  const command = {
    ...{ site, node, verb, payload },
    counter: nextCounter(countersPath, `${site}/${node}`, Math.max(wallMillis, options.counter)),
    notAfterWallMillis,
  } as NodeCommand;
  const endWait = showWait(io.clock, out.progress("seconds for the node's answer"), options.waitSeconds);
  const result = await sendCommand({
    ...{ broker, key, command, clock: io.clock, signal: io.interrupt },
    expirySeconds: options.expirySeconds,
    waitMillis: options.waitSeconds * 1000,
  }).finally(endWait);
  const sent = { node, site, verb, payload, waitSeconds: options.waitSeconds, expiresWallMillis: notAfterWallMillis };
  const { lines, document } = otaResult(sent, result, io.clock.wall());
  for (const line of lines) out.say(line);
  out.document({ node, site, verb, counter: command.counter, ...document });
}

function payloadOf(verb: CommandVerb, options: OtaOptions): Readonly<Record<string, unknown>> {
  const { maxExit, hopPatches, askIntervalHops, thresholds, asks, image, agent } = options;
  const askAllowed = asks === undefined ? undefined : asks === "on";
  const setPoint: CommandPayload<"set-point"> = {
    maxExit,
    hopPatches,
    askIntervalHops,
    askAllowed,
    thresholds: thresholds && [...thresholds],
  };
  const parts = Object.fromEntries(Object.entries(setPoint).filter(([, value]) => value !== undefined));
  if ((image ?? agent) !== undefined) throw new ConfigError("OTA_OPTIONS", `${verb} takes no --image and no --agent. Leave them out.`);
  if (verb === "set-point") {
    if (Object.keys(parts).length > 0) return parts;
    throw new ConfigError(
      "OTA_OPTIONS",
      "set-point orders nothing: give --max-exit, --hop-patches, --ask-interval-hops, --thresholds or --asks.",
    );
  }
  if (Object.keys(parts).length > 0) throw new ConfigError("OTA_OPTIONS", `${verb} takes no set-point. Leave its options out.`);
  return {};
}

/** Parses a command's name; a planned one is refused later, with its reason. */
function commandVerb(text: string): string {
  if (Object.hasOwn(PLANNED_VERBS, text) || (COMMAND_VERBS as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`Allowed choices are ${COMMAND_VERBS.join(", ")}.`);
}

function q15(text: string, before: readonly number[] | undefined): readonly number[] {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0 || value > 32_769)
    throw new InvalidArgumentError("Give whole numbers from 0 to 32768.");
  return [...(before ?? []), value];
}
