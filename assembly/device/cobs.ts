// Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), and the CRC that link frames end with. Oracles: host/link/cobs.ts, crc16.ts.

/** Decodes `bytes` non-zero bytes at `p` in place. Returns the length, or −1 when they are not COBS. */
export function cobsDecode(p: usize, bytes: i32): i32 {
  if (bytes == 0) return -1;
  let at = 0;
  let length = 0;
  while (at < bytes) {
    const code = <i32>load<u8>(p + <usize>at);
    const end = at + code;
    if (end > bytes) return -1;
    for (at++; at < end; at++) {
      store<u8>(p + <usize>length, load<u8>(p + <usize>at));
      length++;
    }
    if (code < 255 && at < bytes) {
      store<u8>(p + <usize>length, 0);
      length++;
    }
  }
  return length;
}

/** Encodes `bytes` bytes, less than 255, to `to`: bytes + 1 of them, none zero. Returns how many. */
export function cobsEncode(p: usize, bytes: i32, to: usize): i32 {
  let code = 0; // where the current group's length goes
  let at = 1;
  for (let i = 0; i < bytes; i++) {
    const byte = load<u8>(p + <usize>i);
    if (byte != 0) store<u8>(to + <usize>at, byte);
    else {
      store<u8>(to + <usize>code, <u8>(at - code));
      code = at;
    }
    at++;
  }
  store<u8>(to + <usize>code, <u8>(at - code));
  return at;
}

const NIBBLES = memory.data<u16>([
  0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
]);

/** CRC-16/CCITT-FALSE: "123456789" → 0x29B1. */
export function crc16(p: usize, bytes: i32): u32 {
  let crc: u32 = 0xffff;
  for (let i = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(p + <usize>i);
    crc = ((crc << 4) & 0xffff) ^ <u32>load<u16>(NIBBLES + <usize>(((crc >> 12) ^ (byte >> 4)) << 1));
    crc = ((crc << 4) & 0xffff) ^ <u32>load<u16>(NIBBLES + <usize>(((crc >> 12) ^ (byte & 15)) << 1));
  }
  return crc;
}
