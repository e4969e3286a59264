import { KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { ConfigError } from "../core/system/errors.ts";

const DAY_MILLIS = 86_400_000;
/** Certificates begin a little in the past: a device's clock may be behind. */
const BACKDATE_MILLIS = 3_600_000;
const AUTHORITY_DAYS = 3650;
/** X.520 ub-common-name. */
export const MAX_COMMON_NAME_CHARS = 64;

/** ECDSA on P-256: supported by OpenSSL, mbedTLS and the secure elements of microcontrollers in TLS 1.2 and 1.3; Ed25519 is missing in most. */
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface LeafOptions {
  readonly commonName: string;
  readonly organisation: string;
  /** The one of several holders of a common name. */
  readonly unit?: string;
  readonly days: number;
  /** A server's DNS names and IP addresses; left out: a client's certificate. */
  readonly hosts?: readonly string[];
}

type X509 = typeof import("@peculiar/x509");

/** The library is loaded when a certificate is made, not when the command line starts. */
async function x509(): Promise<X509> {
  await import("reflect-metadata"); // its dependency injection needs it loaded first
  return import("@peculiar/x509");
}

/** A self-signed authority that may sign leaves only. */
export async function createAuthority(commonName: string, organisation: string, wallMillis: number): Promise<CertifiedKey> {
  const library = await x509();
  const keys = await newKeys();
  const made = await library.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: nameOf(commonName, organisation),
    ...validity(wallMillis, AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new library.BasicConstraintsExtension(true, 0, true),
      new library.KeyUsagesExtension(library.KeyUsageFlags.keyCertSign | library.KeyUsageFlags.cRLSign, true),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${made.toString("pem")}\n`, privateKey: pemOf(keys.privateKey) };
}

/** A server's or a client's certificate with a new key, signed by `authority`. Throws AUTHORITY_INVALID for one that cannot sign. */
export async function issueLeaf(authority: CertifiedKey, options: LeafOptions, wallMillis: number): Promise<CertifiedKey> {
  const library = await x509();
  const { commonName, organisation, unit, days, hosts } = options;
  const issuer = await openAuthority(library, authority);
  const keys = await newKeys();
  const isServer = hosts !== undefined;
  const made = await library.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: nameOf(commonName, organisation, unit),
    issuer: issuer.certificate.subjectName,
    ...validity(wallMillis, days),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: issuer.privateKey,
    extensions: [
      new library.BasicConstraintsExtension(false, undefined, true),
      new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
      new library.ExtendedKeyUsageExtension([library.ExtendedKeyUsage[isServer ? "serverAuth" : "clientAuth"]]),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await library.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
      ...(isServer
        ? [new library.SubjectAlternativeNameExtension(hosts.map((host) => ({ type: isIP(host) ? "ip" : "dns", value: host }) as const))]
        : []),
    ],
  });
  return { certificate: `${made.toString("pem")}\n`, privateKey: pemOf(keys.privateKey) };
}

async function openAuthority(library: X509, { certificate, privateKey }: CertifiedKey) {
  try {
    const der = Buffer.from(privateKey.replace(/-----[^-]+-----|\s/g, ""), "base64");
    return {
      certificate: new library.X509Certificate(certificate),
      privateKey: await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]),
    };
  } catch {
    // the cause may quote what it could not read: left out
    throw new ConfigError("AUTHORITY_INVALID", "the authority's certificate or key cannot be read. Restore both from a copy.");
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function pemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}

/** 16 random bytes, positive and never zero (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** As a structure, never as text: a name cannot smuggle in another attribute. */
function nameOf(commonName: string, organisation: string, unit?: string) {
  return [{ O: [organisation] }, ...(unit === undefined ? [] : [{ OU: [unit] }]), { CN: [commonName] }];
}

function validity(wallMillis: number, days: number) {
  return { notBefore: new Date(wallMillis - BACKDATE_MILLIS), notAfter: new Date(wallMillis + days * DAY_MILLIS) };
}
