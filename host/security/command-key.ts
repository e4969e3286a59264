import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { ConfigError } from "../core/system/errors.ts";

/** An Ed25519 public key as base64url of its 32 bytes: the form in which a node carries its operator's. */
const PUBLIC_KEY_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** A new Ed25519 key that signs a site's commands and updates: PKCS#8 PEM. */
export function newCommandKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Reads the PEM of a signing key. Throws COMMAND_KEY_INVALID, which never quotes what it read. */
export function openCommandKey(pem: string, path: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // the cause may quote the file: left out
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  throw new ConfigError(
    "COMMAND_KEY_INVALID",
    `${path} holds no Ed25519 private key. Take the command.key that provision made for the site.`,
  );
}

/** The public half of a signing key, as nodes carry it. */
export function publicCommandKey(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ format: "jwk" }).x!;
}

/** Reads a public key that a node carries. */
export function parsePublicCommandKey(text: string): KeyObject {
  if (PUBLIC_KEY_PATTERN.test(text)) {
    try {
      return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: text }, format: "jwk" });
    } catch {
      // not a point of the curve
    }
  }
  throw new ConfigError(
    "COMMAND_KEY_INVALID",
    "commandKey is no Ed25519 public key. Take the one that provision wrote into dormouse.json.",
  );
}
