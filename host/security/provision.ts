import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import { ConfigError } from "../core/system/errors.ts";
import { firstExisting, makePrivateFolder, writeWhole } from "../core/system/private-file.ts";
import { splitUrl, urlText } from "../core/system/secrets.ts";
import { DEFAULT_PREFIX, isDiscoveryPrefix } from "../mqtt/home-assistant/discovery.ts";
import { checkName, TOPIC_PREFIX } from "../mqtt/wire/topics.ts";
import { type BrokerPorts, writeMosquittoConfig } from "./broker-config.ts";
import { makeBrokerPassword } from "./broker-password.ts";
import { issueLeaf, MAX_COMMON_NAME_CHARS } from "./certificates.ts";
import { openCommandKey, publicCommandKey } from "./command-key.ts";
import { AUTHORITY_FILES, openSiteAuthority, writePair } from "./site-authority.ts";

/** Whom a certificate is for. */
export const ROLES = ["node", "cloud", "operator", "reader", "broker"] as const;
export type Role = (typeof ROLES)[number];

/** Common names that the brokers' access lists give other rights to: no node may carry one. */
const ROLE_NAMES: readonly string[] = ["cloud", "operator", "reader"];

export interface ProvisionOptions {
  readonly role: Role;
  /** A node's name, or a broker's first host name. Workers, operators and readers share their role's common name, and have theirs beside it. */
  readonly name: string;
  /** Needed when the authority is made. */
  readonly site?: string;
  readonly caFolder: string;
  readonly outFolder: string;
  readonly days: number;
  /** More names and addresses of a broker. */
  readonly hosts?: readonly string[];
  /** Written into a node's dormouse.json. */
  readonly brokerUrl?: string;
  readonly ports?: BrokerPorts;
  /** Of Home Assistant's discovery topics, in a broker's access list. Default homeassistant. */
  readonly discoveryPrefix?: string;
}

export interface Provisioned {
  readonly role: Role;
  readonly site: string;
  readonly name: string;
  readonly commonName: string; // a node's or broker's name, or the role that the brokers' access lists know
  readonly isNewAuthority: boolean;
  readonly commandKey: string; // public
  readonly files: readonly string[];
}

/** An identity in one go: the authority where there is none, a key, a certificate, and what its owner needs beside them. */
export async function provision(options: ProvisionOptions, wallMillis: number): Promise<Provisioned> {
  const { role, name, outFolder, days, discoveryPrefix = DEFAULT_PREFIX } = options;
  checkOwner(role, name);
  checkBrokerUrl(options.brokerUrl);
  checkDiscoveryPrefix(discoveryPrefix);
  const existing = firstExisting(outFolder, ["client.key", "server.key", "dormouse.json"]);
  if (existing !== undefined) {
    throw new ConfigError(
      "IDENTITY_EXISTS",
      `${existing} is there already, and a key is never overwritten. Choose another folder with --out DIR.`,
    );
  }
  const authority = await openSiteAuthority(options.caFolder, options.site, wallMillis);
  const { site } = authority;
  const commandKey = publicCommandKey(openCommandKey(authority.commandKey, options.caFolder));
  const isBroker = role === "broker";
  const holder = ROLE_NAMES.includes(role) ? { commonName: role, unit: name } : { commonName: name };
  const hosts = isBroker ? [name, ...(options.hosts ?? [])] : undefined;
  const signer = role === "node" || isBroker ? authority.devices : authority.cloud;
  const leaf = await issueLeaf(signer, { ...holder, organisation: site, days, ...(hosts && { hosts }) }, wallMillis);

  makePrivateFolder(outFolder);
  const files = ["ca.crt"];
  writeWhole(join(outFolder, "ca.crt"), authority.devices.certificate); // brokers are certified by it
  const pair = isBroker ? "server" : "client";
  writePair(outFolder, pair, leaf);
  files.push(`${pair}.crt`, `${pair}.key`);
  if (isBroker) {
    writeWhole(join(outFolder, "cloud-ca.crt"), authority.cloud.certificate);
    files.push("cloud-ca.crt", ...writeMosquittoConfig(outFolder, site, discoveryPrefix, options.ports));
  }
  if (role === "operator") {
    writeWhole(join(outFolder, AUTHORITY_FILES.commandKey), authority.commandKey, { isPrivate: true });
    files.push(AUTHORITY_FILES.commandKey);
  }
  if (role === "reader") {
    const { password, line } = makeBrokerPassword(role, randomBytes);
    writeWhole(join(outFolder, "password"), `${password}\n`, { isPrivate: true });
    writeWhole(join(outFolder, "passwords"), line, { isPrivate: true });
    files.push("password", "passwords");
  }
  if (!isBroker) {
    const broker = options.brokerUrl === undefined ? {} : { broker: options.brokerUrl };
    const config =
      role === "node"
        ? { node: name, site, ...broker, commandKey, commandFloor: Math.floor(wallMillis) }
        : { site, ...broker, ...(role === "cloud" ? { group: authority.group } : {}) };
    const file = role === "node" ? "dormouse.json" : "site.json";
    writeWhole(join(outFolder, file), `${JSON.stringify(config, undefined, 2)}\n`, { isPrivate: true });
    files.push(file);
  }
  return { role, site, name, commonName: holder.commonName, isNewAuthority: authority.isNew, commandKey, files };
}

function checkOwner(role: Role, name: string): void {
  if (role === "broker") {
    if (isIP(name) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name))
      throw new ConfigError(
        "HOST_INVALID",
        `${JSON.stringify(name).slice(0, 80)} is no host name or address. Name the broker as clients reach it.`,
      );
    return;
  }
  checkName(role, name);
  if ((role === "node" && ROLE_NAMES.includes(name)) || Buffer.byteLength(name) > MAX_COMMON_NAME_CHARS)
    throw new ConfigError(
      "NODE_NAME_RESERVED",
      `a ${role} cannot be named ${JSON.stringify(name)}: ${ROLE_NAMES.slice(0, -1).join(", ")} and ${ROLE_NAMES.at(-1)} are roles that no node is, and a certificate's name has at most ${MAX_COMMON_NAME_CHARS} bytes.`,
    );
}

/** The prefix stands in an access list, and readers hear all below it: it may hold no pattern, and may not open Dormouse's own topics. */
function checkDiscoveryPrefix(prefix: string): void {
  const [own] = TOPIC_PREFIX.split("/");
  if (isDiscoveryPrefix(prefix) && /^[\p{L}\p{N}._/-]+$/u.test(prefix) && prefix.split("/")[0] !== own) return;
  throw new ConfigError(
    "DISCOVERY_PREFIX_INVALID",
    `${JSON.stringify(prefix).slice(0, 140)} cannot be Home Assistant's prefix in an access list. Use letters, digits, dots, dashes, underscores and /, not starting with ${own}.`,
  );
}

/** An identity's files keep the URL in plain text, and some travel: a password does not belong there. */
function checkBrokerUrl(url: string | undefined): void {
  if (url === undefined) return;
  const split = splitUrl(url);
  if (split !== undefined && split.username === undefined && split.password === undefined) return;
  throw new ConfigError(
    "BROKER_URL_SECRET",
    `${urlText(url)} would be kept with the identity, where no user or password belongs. Name it without; give them by DORMOUSE_BROKER_USER and DORMOUSE_BROKER_PASSWORD where it runs.`,
  );
}
