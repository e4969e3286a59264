import type { EmulatedBoard } from "./emulators/emulated-board.ts";

/**
 * Feeds a recorded link stream to device firmware on an emulated board and returns as many bytes as are expected of it, and whatever came beyond.
 * A device says how it started before it reads: until then a UART drops what comes.
 */
export async function replayOnBoard(board: EmulatedBoard, stream: Uint8Array, expectedBytes: number): Promise<Uint8Array> {
  const first = await board.read(1);
  board.write(stream);
  const rest = await board.read(expectedBytes - 1);
  return Buffer.concat([first, rest, await board.read(board.waiting)]);
}
