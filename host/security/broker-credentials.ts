import { dirname } from "node:path";
import { readPrivate, readSmall } from "../core/system/private-file.ts";
import { splitUrl } from "../core/system/secrets.ts";
import type { BrokerOptions } from "../mqtt/transport/broker-url.ts";

/** The environment variables of a broker's user and password: `ps` shows a process's arguments to everybody, its environment to its owner alone. */
const USER = "DORMOUSE_BROKER_USER";
const PASSWORD = "DORMOUSE_BROKER_PASSWORD";

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The broker's options with the user and password that were given: a password file comes first, then the options, the URL, the
 * environment. The URL loses its own; one that cannot be taken apart stays, and parseBrokerUrl refuses it.
 */
export function withCredentials(broker: BrokerOptions, env: Environment, passwordFile?: string): BrokerOptions {
  const split = splitUrl(broker.url);
  if (split === undefined) return broker;
  const username = broker.username ?? split.username ?? (env[USER] || undefined);
  const inFile = passwordFile === undefined ? undefined : readPassword(passwordFile, env);
  const password = inFile ?? broker.password ?? split.password ?? (env[PASSWORD] || undefined);
  return { ...broker, url: split.bare, ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

/** User and password for the environment of a process that talks to the same broker. */
export function credentialsEnvironment({ username, password }: BrokerOptions): Environment {
  return { [USER]: username, [PASSWORD]: password };
}

/** The password, and perhaps an end of line after it. A credential of systemd is guarded by its folder; its mode shows an access list's mask. */
function readPassword(path: string, { CREDENTIALS_DIRECTORY: guarded }: Environment): string {
  const read = guarded !== undefined && dirname(path) === guarded ? readSmall : readPrivate;
  const text = read(path, "the broker's password", "Write the password into it, and nothing else.");
  return text.replace(/\r?\n$/, "");
}
