import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../core/system/errors.ts";
import { readPrivate, readSmall } from "../core/system/private-file.ts";
import { isName } from "../mqtt/wire/topics.ts";

const MEND = "Make the identity with dormouse provision.";
const siteSchema = z.object({ site: z.string().optional(), broker: z.string().optional(), group: z.string().refine(isName).optional() });

interface IdentityTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The identity in a folder that `provision` wrote. */
export interface Identity {
  /** PEM, for the broker's options. */
  readonly tls: IdentityTls;
  /** Reads the three files anew: they may have been replaced. */
  readonly readTls: () => IdentityTls;
  readonly site: string | undefined;
  readonly brokerUrl: string | undefined;
  /** A worker's: the site's group of shared subscribers. */
  readonly group: string | undefined;
}

/** Reads an identity's folder: ca.crt, client.crt, client.key, and dormouse.json or site.json. */
export function readIdentity(folder: string): Identity {
  const readTls = () => ({
    ca: readSmall(join(folder, "ca.crt"), "the authority's certificate", MEND),
    cert: readSmall(join(folder, "client.crt"), "the certificate", MEND),
    key: readPrivate(join(folder, "client.key"), "the key", MEND),
  });
  const tls = readTls();
  const about = ["dormouse.json", "site.json"].map((name) => join(folder, name)).find((path) => existsSync(path));
  if (about === undefined) return { tls, readTls, site: undefined, brokerUrl: undefined, group: undefined };
  try {
    const { site, broker, group } = siteSchema.parse(JSON.parse(readSmall(about, "the identity's description", MEND)));
    return { tls, readTls, site, brokerUrl: broker, group };
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError("IDENTITY_INVALID", `${about} is not what provision writes: it names site and broker as JSON. ${MEND}`, {
      cause,
    });
  }
}
