import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DormouseError } from "../../../../host/core/system/errors.ts";
import { flatten, readElf, type Segment } from "../../../../host/firmware/mcu/elf.ts";
import { crc32Mpeg2 } from "../../../../host/firmware/mcu/image/boot2.ts";
import { readIntelHex, writeIntelHex } from "../../../../host/firmware/mcu/image/intel-hex.ts";
import { type ModelContract, readMcuboot, writeMcuboot } from "../../../../host/firmware/mcu/image/mcuboot.ts";
import { readUf2, UF2_FAMILIES, writeUf2 } from "../../../../host/firmware/mcu/image/uf2.ts";

const segments: Segment[] = [
  { address: 0x10000000, bytes: Uint8Array.from({ length: 700 }, (_, i) => i * 7) },
  { address: 0x1000fff8, bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) }, // across a 64 KB page
];

/** Any bytes end as a DormouseError or a value, never as another error. */
function isCalm(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof DormouseError;
  }
}

describe("Intel HEX", () => {
  it("gives the bytes back, also across a page of 64 KB", () => {
    expect(flatten(readIntelHex(writeIntelHex(segments, 0x10000101)))).toEqual(flatten(segments));
  });

  it("writes records as the format's own example has them", () => {
    // Intel's specification, 1988: :0300300002337A1E
    expect(writeIntelHex([{ address: 0x30, bytes: Uint8Array.of(0x02, 0x33, 0x7a) }], 0)).toContain(":0300300002337A1E\n");
  });

  it("names the line of a wrong checksum, and a file that was cut", () => {
    const text = writeIntelHex(segments, 0);
    expect(() => readIntelHex(text.replace("0102030405060708", "0102030405060709"))).toThrow(/line \d+ .*checksum/);
    expect(() => readIntelHex(text.slice(0, -12))).toThrow(/no end record/);
  });
});

describe("UF2", () => {
  const file = writeUf2(segments, "rp2040");

  it("has whole blocks of 512 bytes with the chip's family, erased flash around the data", () => {
    const { familyId, segments: blocks } = readUf2(file);
    expect(familyId).toBe(UF2_FAMILIES.rp2040);
    expect(file.length % 512).toBe(0);
    expect(blocks.every(({ address, bytes }) => address % 256 === 0 && bytes.length === 256)).toBe(true);
    const whole = flatten(blocks).bytes;
    expect(whole.subarray(0, 700)).toEqual(segments[0]!.bytes);
    expect([...whole.subarray(0xfff8, 0xfff8 + 12)]).toEqual([...segments[1]!.bytes]);
    expect(whole[701]).toBe(0xff);
  });

  it("is refused when blocks are missing, or when one is of another chip", () => {
    expect(() => readUf2(file.subarray(0, file.length - 512))).toThrow(/block 0 is numbered 0 of/);
    expect(() => readUf2(file.subarray(0, 700))).toThrow(/whole blocks/);
    const other = file.slice();
    new DataView(other.buffer).setUint32(512 + 28, UF2_FAMILIES.nrf52840, true);
    expect(() => readUf2(other)).toThrow(/block 1 names no chip, or another/);
  });
});

describe("MCUboot", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const open = publicKey.export({ type: "spki", format: "pem" }).toString();
  const contract: ModelContract = { runs: [6, 6, 0, 0], linkVersion: 1, storeVersion: 1, arenaBytes: 18768, imageHash: "ab".repeat(32) };
  const payload = Uint8Array.from({ length: 1000 }, (_, i) => i);
  const options = { version: [1, 2, 3] as const, securityCounter: 7, contract, key };
  const image = writeMcuboot(payload, options);

  it("carries version, counter, contract and payload, under a signature that the public key checks", () => {
    const { payload: read, ...rest } = readMcuboot(image, open);
    expect(rest).toEqual({ version: [1, 2, 3], securityCounter: 7, contract });
    expect(new Uint8Array(read)).toEqual(payload);
    expect(Buffer.from(image).readUInt32LE(0)).toBe(0x96f3b83d);
    expect(writeMcuboot(payload, options)).toEqual(image);
  });

  it("is refused with any byte changed", () => {
    fc.assert(
      fc.property(fc.nat(image.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = image.slice();
        changed[at]! ^= flip;
        // The key hash is a hint for the boot loader's choice of key; everything else is under the hash or the signature.
        const keyHash = Buffer.from(image).indexOf(Buffer.of(0x01, 0x00, 0x20, 0x00), image.length - 150);
        if (at >= keyHash && at < keyHash + 36) return isCalm(() => readMcuboot(changed, open));
        expect(() => readMcuboot(changed, open)).toThrow(DormouseError);
        return true;
      }),
    );
  });

  it("is refused under another key, and a key of another kind is refused", () => {
    const stranger = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
    expect(() => readMcuboot(image, stranger)).toThrow(/not of this key/);
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(() => writeMcuboot(payload, { ...options, key: ec })).toThrow(/not Ed25519/);
  });

  it("never crashes a reader", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const text = Buffer.from(bytes).toString("latin1");
        return (
          isCalm(() => readMcuboot(bytes, open)) &&
          isCalm(() => readUf2(bytes)) &&
          isCalm(() => readElf(bytes)) &&
          isCalm(() => readIntelHex(text))
        );
      }),
    );
  });
});

it("the second stage's checksum is the boot ROM's CRC-32 (MPEG-2 check value)", () => {
  expect(crc32Mpeg2(Buffer.from("123456789"))).toBe(0x0376e6e7);
});
