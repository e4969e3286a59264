import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { ConfigError } from "../../core/system/errors.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import type { BrokerOptions } from "../../mqtt/transport/broker-url.ts";
import { withCredentials } from "../../security/broker-credentials.ts";
import { type Identity, readIdentity } from "../../security/identity.ts";

/** Options of every verb with a broker, beside the broker's URL. */
export interface BrokerLinkOptions {
  readonly identity?: string;
  readonly insecure: boolean;
  readonly brokerPasswordFile?: string;
}

/** Adds `--identity`, `--insecure` and `--broker-password-file`. */
export function withBrokerLink(command: Command): Command {
  return command
    .addOption(
      new Option("--identity <dir>", "use the certificate, key and authority in this folder for TLS; dormouse provision writes it"),
    )
    .addOption(new Option("--insecure", "allow plain text to a broker on another machine; the network can read it").default(false))
    .addOption(
      new Option(
        "--broker-password-file <file>",
        "read the broker's password from this file (default: DORMOUSE_BROKER_PASSWORD; user: DORMOUSE_BROKER_USER)",
      ),
    );
}

export function readIdentityOption(io: CliIo, { identity }: BrokerLinkOptions): Identity | undefined {
  return identity === undefined ? undefined : readIdentity(resolve(io.cwd, identity));
}

/** The same options for a process of its own, but for user and password: credentialsEnvironment has those. */
export function brokerLinkArguments(io: CliIo, { identity, insecure }: BrokerLinkOptions): string[] {
  return [...(identity === undefined ? [] : ["--identity", resolve(io.cwd, identity)]), ...(insecure ? ["--insecure"] : [])];
}

/** The broker of the option or the identity, with its credentials; undefined without either. */
export function readBroker(
  io: Pick<CliIo, "cwd" | "env">,
  options: BrokerLinkOptions,
  identity: Identity | undefined,
  ...urls: readonly (string | undefined)[]
): BrokerOptions | undefined {
  const url = [...urls, identity?.brokerUrl].find((one) => one !== undefined);
  if (url === undefined) return undefined;
  const meant = options.insecure
    ? url.replace(/^(mqtt|tcp|ws):/i, (_, scheme: string) => `${scheme === "ws" ? "ws" : "mqtt"}+insecure:`)
    : url;
  const isPlain = !/^(mqtts|ssl|wss):/i.test(meant);
  if (identity !== undefined && isPlain)
    throw new ConfigError("IDENTITY_UNUSED", "an identity needs a broker URL with TLS. Write mqtts://host:8883, or leave --identity out.");
  const { brokerPasswordFile: file } = options;
  const read = (tls: Identity["tls"] | undefined) =>
    withCredentials({ url: meant, ...tls }, io.env, file === undefined ? undefined : resolve(io.cwd, file));
  const broker = read(identity?.tls);
  if (identity === undefined && file === undefined) return broker;
  const renew = () => {
    const { url: _, ...renewed } = read(identity?.readTls());
    return renewed;
  };
  return { ...broker, renew };
}
