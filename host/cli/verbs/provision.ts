import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { createOutput } from "../../core/system/output.ts";
import { urlText } from "../../core/system/secrets.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { type ProvisionOptions, provision, ROLES, type Role } from "../../security/provision.ts";
import { jsonOption, refuseWith, refuseWithout, wholeNumber } from "../common/options.ts";

interface Options {
  readonly json: boolean;
  readonly as: Role;
  readonly site?: string;
  readonly ca: string;
  readonly out?: string;
  readonly days: number;
  readonly address: readonly string[];
  readonly broker?: string;
  readonly port: number;
  readonly cloudPort: number;
  readonly readersPort: number;
  readonly haPrefix?: string;
  readonly bind: string;
}

/** What to do with an identity; `broker` is the URL that was given, which all but a worker read from the identity. */
const NEXT: Readonly<Record<Role, (folder: string, broker?: string) => string>> = {
  node: (folder, broker) =>
    `Put ${folder} on the node, and run it there: dormouse run <agent> --identity ${folder}${broker ? "" : " --broker mqtts://…:8883"}`,
  cloud: (folder, broker = "mqtts://…:8884") => `Start workers with it: dormouse cloud --identity ${folder} --broker ${broker}`,
  operator: (folder, broker) =>
    `Send commands with it: dormouse ota <node> reboot --identity ${folder}${broker ? "" : " --broker mqtts://…:8884"}`,
  reader: (folder) =>
    `It reads and sends nothing. Home Assistant takes the user reader with the password in ${folder}/password, at the broker's port 8885: cat ${folder}/passwords >> <the broker's folder>/passwords, then a SIGHUP.`,
  broker: (folder) =>
    `Start it: mosquitto -c ${folder}/mosquitto.conf. If root starts it, it switches to the user mosquitto: first chown -R mosquitto ${folder}`,
};

/** `dormouse provision`: a node's, worker's, operator's or broker's identity, and the site's authority if there is none. */
export function registerProvision(program: Command, io: CliIo): void {
  program
    .command("provision")
    .description("Create a node's identity: key, certificate and site; on first use also the site's authority.")
    .argument("<name>", "the node's, worker's, operator's or reader's name; with --as broker its host name")
    .addOption(new Option("--as <role>", "create an identity for this role").choices([...ROLES]).default("node"))
    .option("--site <name>", "name the site; required when the authority is created")
    .option("--ca <dir>", "use the site's authority in this folder; keep it off the network", "authority")
    .option("--out <dir>", "write the identity to this folder (default: the name)")
    .option("--days <n>", "keep the certificate valid for this many days", wholeNumber(1, 3650), 825)
    .option("--address <host...>", "add names and addresses of a broker", [])
    .option("--broker <url>", "store this broker URL with the identity")
    .option("--port <n>", "set a broker's port for devices", wholeNumber(1, 65535), 8883)
    .option("--cloud-port <n>", "set a broker's port for workers, operators and readers", wholeNumber(1, 65535), 8884)
    .option("--readers-port <n>", "set a broker's port for readers with a password", wholeNumber(1, 65535), 8885)
    .option("--ha-prefix <topic>", "set Home Assistant's discovery prefix in a broker's access list (homeassistant)")
    .option("--bind <address>", "set the address that a broker listens on", "0.0.0.0")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse provision wrist-1 --site lab --ca authority --out wrist-1\n  $ dormouse provision broker.example --as broker --address 10.0.0.5 --ca authority --out broker",
    )
    .action(async (name: string, options: Options, command: Command) => {
      if (options.as === "broker") refuseWith(command, "--as broker", "--broker");
      else refuseWithout(command, "--as broker", "--address", "--port", "--cloud-port", "--readers-port", "--ha-prefix", "--bind");
      const out = createOutput(io, options.json);
      const folder = options.out ?? name;
      const what: ProvisionOptions = {
        role: options.as,
        name,
        caFolder: resolve(io.cwd, options.ca),
        outFolder: resolve(io.cwd, folder),
        days: options.days,
        hosts: options.address,
        ports: { devicesPort: options.port, cloudPort: options.cloudPort, readersPort: options.readersPort, bindAddress: options.bind },
        ...(options.haPrefix === undefined ? {} : { discoveryPrefix: options.haPrefix }),
        ...(options.site === undefined ? {} : { site: options.site }),
        ...(options.broker === undefined ? {} : { brokerUrl: options.broker }),
      };
      const made = await provision(what, io.clock.wall());
      if (made.isNewAuthority) {
        out.say(
          `Made the authority of site ${made.site} in ${options.ca}. Whoever holds that folder can be any node and command all: keep it offline.`,
        );
      }
      out.say(`Made ${made.role} ${made.name} of site ${made.site} in ${folder}: ${made.files.join(", ")}.`);
      if (made.commonName !== made.name)
        out.say(`The broker knows it, as it does every ${made.role}, by the common name ${made.commonName}.`);
      out.say(NEXT[made.role](folder, options.broker === undefined ? undefined : urlText(options.broker)));
      out.document({ ...made, out: what.outFolder });
    });
}
