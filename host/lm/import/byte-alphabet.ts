/** GPT-2's alphabet: printable bytes stand for themselves, the other 68 for the characters from U+0100 on. */
const characters: readonly string[] = (() => {
  let next = 0x100;
  const isPrintable = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();
const byteOf: ReadonlyMap<string, number> = new Map(characters.map((character, byte) => [character, byte]));

/** The bytes that a piece in GPT-2's alphabet stands for; undefined if it has a character outside of it. */
export function bytesOfPiece(piece: string): Uint8Array | undefined {
  const bytes = [...piece].map((character) => byteOf.get(character));
  return bytes.includes(undefined) ? undefined : Uint8Array.from(bytes as number[]);
}
