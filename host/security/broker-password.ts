import { pbkdf2Sync } from "node:crypto";

const ITERATIONS = 101; // as mosquitto_passwd: the password is 192 random bits, which no guess finds
const SALT_BYTES = 12;
const HASH_BYTES = 64;
const PASSWORD_BYTES = 24;

/** A user's password, and its line in a password file of mosquitto 2. */
export interface BrokerPassword {
  readonly password: string;
  readonly line: string;
}

/** Makes a password of random bytes. The line is mosquitto's `$7$`: PBKDF2 with SHA-512 (RFC 8018), salt and hash in base64. */
export function makeBrokerPassword(user: string, random: (bytes: number) => Uint8Array): BrokerPassword {
  const password = Buffer.from(random(PASSWORD_BYTES)).toString("base64url");
  const salt = Buffer.from(random(SALT_BYTES));
  const hash = pbkdf2Sync(password, salt, ITERATIONS, HASH_BYTES, "sha512");
  return { password, line: `${user}:$7$${ITERATIONS}$${salt.toString("base64")}$${hash.toString("base64")}\n` };
}
