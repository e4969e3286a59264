import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../core/system/errors.ts";
import { makePrivateFolder, readPrivate, readSmall, writeWhole } from "../core/system/private-file.ts";
import { checkName } from "../mqtt/wire/topics.ts";
import { type CertifiedKey, createAuthority } from "./certificates.ts";
import { newCommandKey, openCommandKey } from "./command-key.ts";

/** Names of the files in an authority's folder. */
export const AUTHORITY_FILES = { site: "site", commandKey: "command.key", group: "group" } as const;
const MEND = "Restore the authority's folder from a copy, or choose a new one with --ca DIR.";

/**
 * All that a site's identities hang on: one authority for devices and brokers, another for workers and operators (so that a device's
 * key opens no worker's door), and the key that signs commands.
 */
export interface SiteAuthority {
  readonly site: string;
  readonly devices: CertifiedKey;
  readonly cloud: CertifiedKey;
  readonly commandKey: string; // PEM
  /** The workers' group of shared subscribers. Secret: mosquitto lets a device that knows it join, and drops what is dealt to it. */
  readonly group: string;
  readonly isNew: boolean;
}

/** Opens a site's authority; makes it where the folder is empty or not there. `site` is needed then, and checked otherwise. */
export async function openSiteAuthority(folder: string, site: string | undefined, wallMillis: number): Promise<SiteAuthority> {
  if (existsSync(join(folder, AUTHORITY_FILES.site))) return readAuthority(folder, site);
  if (site === undefined) {
    throw new ConfigError("SITE_MISSING", `${folder} holds no authority yet. Name the site that it shall be for with --site NAME.`);
  }
  checkSite(site);
  if (existsSync(join(folder, "ca.key"))) throw new ConfigError("AUTHORITY_INCOMPLETE", `${folder} holds half an authority. ${MEND}`);
  const devices = await createAuthority(`${site} devices`, site, wallMillis);
  const cloud = await createAuthority(`${site} cloud`, site, wallMillis);
  const commandKey = newCommandKey();
  makePrivateFolder(folder);
  writePair(folder, "ca", devices);
  writePair(folder, "cloud-ca", cloud);
  writeWhole(join(folder, AUTHORITY_FILES.commandKey), commandKey, { isPrivate: true });
  const group = readGroup(folder);
  writeWhole(join(folder, AUTHORITY_FILES.site), `${site}\n`); // last: its presence means that all the rest is there
  return { site, devices, cloud, commandKey, group, isNew: true };
}

/** Writes NAME.crt and NAME.key. */
export function writePair(folder: string, name: string, { certificate, privateKey }: CertifiedKey): void {
  writeWhole(join(folder, `${name}.key`), privateKey, { isPrivate: true });
  writeWhole(join(folder, `${name}.crt`), certificate);
}

function readAuthority(folder: string, site: string | undefined): SiteAuthority {
  const own = readSmall(join(folder, AUTHORITY_FILES.site), "the site's name", MEND).trim();
  if (site !== undefined && site !== own) {
    throw new ConfigError(
      "SITE_OTHER",
      `${folder} is the authority of site ${own}, not of ${site}. Leave --site out, or choose another --ca DIR.`,
    );
  }
  checkSite(own);
  const commandKey = readPrivate(join(folder, AUTHORITY_FILES.commandKey), "the command key", MEND);
  openCommandKey(commandKey, join(folder, AUTHORITY_FILES.commandKey));
  return {
    site: own,
    devices: readPair(folder, "ca"),
    cloud: readPair(folder, "cloud-ca"),
    commandKey,
    group: readGroup(folder),
    isNew: false,
  };
}

/** The site's group name; one is made for an authority without (new, or made by an earlier release). */
function readGroup(folder: string): string {
  const path = join(folder, AUTHORITY_FILES.group);
  if (!existsSync(path)) writeWhole(path, `cloud-${randomBytes(16).toString("hex")}\n`, { isPrivate: true });
  return checkName("group", readPrivate(path, "the workers' group", MEND).trim());
}

function readPair(folder: string, name: string): CertifiedKey {
  return {
    certificate: readSmall(join(folder, `${name}.crt`), "the authority's certificate", MEND),
    privateKey: readPrivate(join(folder, `${name}.key`), "the authority's key", MEND),
  };
}

/** A site's name stands in topics, in an access list and in a configuration: the last two know blanks and quotes. */
function checkSite(site: string): void {
  checkName("site", site);
  if (!/^[\p{L}\p{N}._-]+$/u.test(site) || site.startsWith("%")) {
    throw new ConfigError(
      "SITE_INVALID",
      `site ${JSON.stringify(site)} cannot stand in a broker's access list. Use letters, digits, dots, dashes and underscores.`,
    );
  }
}
