import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { RUNS_BYTES } from "../../../../assembly/layout.ts";
import { decodeRuns, encodeRuns, type Runs } from "../../../core/image/runs.ts";
import { FirmwareError } from "../../../core/system/errors.ts";

const MAGIC = 0x96f3b83d;
const HEADER_BYTES = 32;
/** Of the header with its padding: vectors of up to 256 words lie right behind it, aligned as VTOR wants them. */
export const MCUBOOT_HEADER_BYTES = 1024;
const TLV_MAGIC = 0x6907;
const PROTECTED_TLV_MAGIC = 0x6908;
const TLV_KEY_HASH = 0x01;
const TLV_SHA256 = 0x10;
const TLV_ED25519 = 0x24;
const TLV_SECURITY_COUNTER = 0x50;
const TLV_CONTRACT = 0xa0; // vendor range
const CONTRACT_BYTES = RUNS_BYTES + 40;

/** What model and firmware promise each other; checked before a swap. */
export interface ModelContract {
  readonly runs: Runs; // what the core in this firmware runs
  readonly linkVersion: number;
  readonly storeVersion: number;
  readonly arenaBytes: number; // what this firmware leaves for arenas
  readonly imageHash: string; // hex SHA-256 of the model linked in
}

export interface McubootOptions {
  readonly version: readonly [number, number, number];
  readonly securityCounter: number;
  readonly contract: ModelContract;
  /** Ed25519 private key, PEM. */
  readonly key: string;
}

function tlv(kind: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + value.length);
  bytes.set([kind & 255, kind >> 8, value.length & 255, value.length >> 8]);
  bytes.set(value, 4);
  return bytes;
}

function tlvArea(magic: number, entries: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(entries);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(magic, 0);
  head.writeUInt16LE(4 + body.length, 2);
  return Buffer.concat([head, body]);
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function contractBytes(contract: ModelContract): Uint8Array {
  const bytes = Buffer.alloc(CONTRACT_BYTES);
  bytes.set(encodeRuns(contract.runs));
  bytes.writeUInt16LE(contract.linkVersion, RUNS_BYTES);
  bytes.writeUInt16LE(contract.storeVersion, RUNS_BYTES + 2);
  bytes.writeUInt32LE(contract.arenaBytes, RUNS_BYTES + 4);
  bytes.write(contract.imageHash, RUNS_BYTES + 8, "hex");
  return bytes;
}

function ed25519(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // the cause may quote the file: left out
    throw new FirmwareError(
      "BAD_KEY",
      "the signing key is not a PEM private key. Give an Ed25519 key, or a path without a file to create one.",
    );
  }
  throw new FirmwareError("BAD_KEY", "the signing key is not Ed25519. Give an Ed25519 key, or a path without a file to create one.");
}

function publicBytes(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

/** An image in MCUboot's format, to run in place in the first slot: header, payload, protected TLVs (security counter, contract), then hash, key hash and Ed25519 signature of the hash. */
export function writeMcuboot(payload: Uint8Array, options: McubootOptions): Uint8Array {
  const key = ed25519(options.key);
  const protectedTlvs = tlvArea(PROTECTED_TLV_MAGIC, [
    tlv(TLV_SECURITY_COUNTER, u32(options.securityCounter)),
    tlv(TLV_CONTRACT, contractBytes(options.contract)),
  ]);
  const header = Buffer.alloc(MCUBOOT_HEADER_BYTES); // no load address, no flags: it runs where it lies
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(MCUBOOT_HEADER_BYTES, 8);
  header.writeUInt16LE(protectedTlvs.length, 10);
  header.writeUInt32LE(payload.length, 12);
  const [major, minor, revision] = options.version;
  header.writeUInt8(major, 20);
  header.writeUInt8(minor, 21);
  header.writeUInt16LE(revision, 22);
  const signed = Buffer.concat([header, payload, protectedTlvs]);
  const hash = createHash("sha256").update(signed).digest();
  const keyHash = createHash("sha256").update(publicBytes(key)).digest();
  const image = Buffer.concat([
    signed,
    tlvArea(TLV_MAGIC, [tlv(TLV_SHA256, hash), tlv(TLV_KEY_HASH, keyHash), tlv(TLV_ED25519, sign(null, hash, key))]),
  ]);
  return new Uint8Array(image); // no Buffer: its slice() would share the bytes
}

export interface McubootImage {
  readonly version: readonly [number, number, number];
  readonly securityCounter: number;
  readonly contract: ModelContract;
  readonly payload: Uint8Array;
}

/** Reads an image and checks hash and signature against a public (or private) Ed25519 key. Any bytes are safe. */
export function readMcuboot(bytes: Uint8Array, key: string): McubootImage {
  const bad = (what: string) => new FirmwareError("BAD_MCUBOOT", `this is no sound MCUboot image: ${what}. Build and sign it again.`);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEADER_BYTES || view.readUInt32LE(0) !== MAGIC) throw bad("no magic");
  const headerBytes = view.readUInt16LE(8);
  const protectedBytes = view.readUInt16LE(10);
  const payloadEnd = headerBytes + view.readUInt32LE(12);
  const signedEnd = payloadEnd + protectedBytes;
  if (headerBytes < HEADER_BYTES || signedEnd > view.length) throw bad("cut short");
  const guarded = readTlvs(view.subarray(payloadEnd, signedEnd), PROTECTED_TLV_MAGIC);
  const open = readTlvs(view.subarray(signedEnd), TLV_MAGIC);
  const [counter, contract, hash, signature] = [
    guarded?.get(TLV_SECURITY_COUNTER),
    guarded?.get(TLV_CONTRACT),
    open?.get(TLV_SHA256),
    open?.get(TLV_ED25519),
  ];
  if (counter?.length !== 4 || contract?.length !== CONTRACT_BYTES || hash === undefined || signature === undefined)
    throw bad("TLVs are missing");
  if (!createHash("sha256").update(view.subarray(0, signedEnd)).digest().equals(hash)) throw bad("its SHA-256 differs");
  if (!verify(null, hash, createPublicKey(key), signature)) throw bad("the signature is not of this key");
  return {
    version: [view.readUInt8(20), view.readUInt8(21), view.readUInt16LE(22)],
    securityCounter: counter.readUInt32LE(0),
    contract: {
      runs: decodeRuns(contract),
      linkVersion: contract.readUInt16LE(RUNS_BYTES),
      storeVersion: contract.readUInt16LE(RUNS_BYTES + 2),
      arenaBytes: contract.readUInt32LE(RUNS_BYTES + 4),
      imageHash: contract.toString("hex", RUNS_BYTES + 8),
    },
    payload: view.subarray(headerBytes, payloadEnd),
  };
}

function readTlvs(area: Buffer, magic: number): Map<number, Buffer> | undefined {
  if (area.length < 4 || area.readUInt16LE(0) !== magic || area.readUInt16LE(2) > area.length) return undefined;
  const entries = new Map<number, Buffer>();
  const end = area.readUInt16LE(2);
  for (let at = 4; at < end; ) {
    if (at + 4 > end) return undefined;
    const next = at + 4 + area.readUInt16LE(at + 2);
    if (next > end) return undefined;
    entries.set(area.readUInt16LE(at), area.subarray(at + 4, next));
    at = next;
  }
  return entries;
}
