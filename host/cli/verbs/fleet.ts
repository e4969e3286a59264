import type { Command } from "commander";
import { sleep } from "../../agent/sensors/pace.ts";
import { MqttError } from "../../core/system/errors.ts";
import { createOutput } from "../../core/system/output.ts";
import { urlText } from "../../core/system/secrets.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { elapsedText, table } from "../../core/system/table.ts";
import { createFleetTable, type FleetNode } from "../../mqtt/readers/fleet-table.ts";
import { readMessage } from "../../mqtt/readers/readable-message.ts";
import { openReader } from "../../mqtt/readers/reader.ts";
import { type BrokerLinkOptions, readBroker, readIdentityOption, withBrokerLink } from "../common/broker-link.ts";
import { jsonOption, numberAtLeast } from "../common/options.ts";

/** Retained messages have all come once nothing has come for so long. */
const QUIET_MILLIS = 300;

interface Options extends BrokerLinkOptions {
  readonly broker: string;
  readonly site?: string;
  readonly timeoutSeconds: number;
  readonly json: boolean;
}

/** `dormouse fleet`: the nodes of a site, from what they have retained. */
export function registerFleet(program: Command, io: CliIo): void {
  withBrokerLink(program.command("fleet"))
    .description("List the nodes of a site: awake, asleep, late or gone, with label, battery, model and firmware.")
    .requiredOption("--broker <url>", "connect to this broker, as in mqtt://127.0.0.1:1883 or mqtts://host:8884")
    .option("--site <name>", "list this site alone (default: the identity's, else every site)")
    .option("--timeout-seconds <n>", "wait this long for the broker", numberAtLeast(0.1), 10)
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse fleet --broker mqtt://127.0.0.1:1883")
    .action((options: Options) => fleet(io, options));
}

async function fleet(io: CliIo, options: Options): Promise<void> {
  const out = createOutput(io, options.json);
  const identity = readIdentityOption(io, options);
  const broker = readBroker(io, options, identity, options.broker)!;
  const nodes = createFleetTable();
  const online = new AbortController();
  let heardAt = 0;
  let why = "it did not answer";
  const connection = openReader({
    broker,
    site: options.site ?? identity?.site,
    clock: io.clock,
    onMessage(message) {
      heardAt = io.clock.now();
      const read = message.retain ? readMessage(message) : undefined;
      if (read !== undefined) nodes.take(read);
    },
    onState(state, detail) {
      heardAt = io.clock.now();
      if (state === "online") online.abort();
      else if (detail !== undefined) why = detail;
    },
  });
  const endAt = io.clock.now() + 1000 * options.timeoutSeconds;
  await sleep(io.clock, 1000 * options.timeoutSeconds, AbortSignal.any([online.signal, io.interrupt]));
  while (online.signal.aborted && !io.interrupt.aborted && io.clock.now() < Math.min(endAt, heardAt + QUIET_MILLIS))
    await sleep(io.clock, QUIET_MILLIS, io.interrupt);
  await connection.close();
  if (!online.signal.aborted)
    throw new MqttError(
      "BROKER_UNREACHABLE",
      `the broker ${urlText(broker.url)} cannot be reached: ${why}. Check the address, and that it runs.`,
    );
  const wallMillis = io.clock.wall();
  const found = nodes.nodes(wallMillis);
  const workers = nodes.workers();
  const header = ["node", "state", "label", "battery", "skin", "model", "firmware", "last word"];
  for (const line of table(
    header,
    found.map((node) => row(node, wallMillis)),
  ))
    out.say(line);
  out.say(`${found.length} nodes, ${workers.length} workers`);
  if (nodes.left.nodes + nodes.left.unreadable > 0)
    out.note(`${nodes.left.unreadable} messages could not be read; ${nodes.left.nodes} messages of further nodes were left out.`);
  out.document({ nodes: found, workers, leftOut: nodes.left });
}

function row(node: FleetNode, wallMillis: number): string[] {
  const { state, untilWallMillis, label = "", batteryPercent, skinCelsius, model = "", firmware = "", lastWallMillis } = node;
  const until =
    state === "asleep" && untilWallMillis !== undefined ? ` until ${new Date(untilWallMillis).toISOString().slice(0, 16)}Z` : "";
  return [
    `${node.site}/${node.node}`,
    `${state}${until}`,
    label,
    batteryPercent === undefined ? "" : `${Math.round(batteryPercent)} %`,
    skinCelsius === undefined ? "" : `${skinCelsius.toFixed(1)} °C`,
    model.slice(0, 8),
    firmware,
    `${elapsedText(Math.max(0, wallMillis - lastWallMillis) / 1000)} ago`,
  ];
}
