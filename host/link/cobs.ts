/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): bytes without zeros, so that a zero delimits frames. Adds one byte,
 * and one more per 254 bytes.
 */
export function cobsEncode(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(bytes.length + 1 + Math.floor(bytes.length / 254));
  let code = 0; // where the current group's length goes
  let at = 1;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) encoded[at++] = bytes[i]!;
    if (bytes[i] !== 0 && (at - code < 255 || i === bytes.length - 1)) continue;
    encoded[code] = at - code;
    code = at++;
  }
  encoded[code] = at - code;
  return encoded.subarray(0, at);
}

/** The bytes that were encoded, without the delimiter; undefined when `encoded` is not COBS. Never longer than the input. */
export function cobsDecode(encoded: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; ) {
    const code = encoded[at++]!;
    const end = at + code - 1;
    if (code === 0 || end > encoded.length) return undefined;
    while (at < end) {
      if (encoded[at] === 0) return undefined;
      bytes[length++] = encoded[at++]!;
    }
    if (code < 255 && at < encoded.length) bytes[length++] = 0;
  }
  return encoded.length === 0 ? undefined : bytes.subarray(0, length);
}
