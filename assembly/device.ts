// device.wasm: the whole program of a device, a WASI command. fd 0: link frames in; fd 1: link frames out; one preopened file, `store`.
// What it writes is a function of what it reads: time is in the frames. Formats and exports are in assembly/README.md.
import { begin, receive } from "./device/link-in";
import { isNotWorn } from "./device/motion";
import { setMemoryBytes, usedBytes } from "./device/room";
import { DEVICE_AGENTS } from "./device/layout";
import { agentAt } from "./device/state";
import { mapStore } from "./device/store";
import { readLink } from "./device/wasi";
import { runsWord } from "./runs";

const INPUT_BYTES = 256;
const input = memory.data(INPUT_BYTES, 16);

/** Word 0 … RUNS_WORDS − 1 of what this device runs. */
export function runs(word: i32): u32 {
  return runsWord(word);
}

/** Before _start: the image that is linked into the firmware for an agent lies here, readable in place (flash), 16-aligned. */
export function setImage(agent: i32, address: usize, bytes: u32): void {
  if (<u32>agent >= <u32>DEVICE_AGENTS) return;
  agentAt(agent).factory = address;
  agentAt(agent).factoryBytes = bytes;
}

/** Before _start: the store's bytes can be read in place from here, 16-aligned. Else the device keeps a copy in memory. */
export function setStore(address: usize): void {
  mapStore(address);
}

/** Before _start: there are so many bytes of memory and no more. Else the device grows its memory as it starts. */
export function setMemory(bytes: u32): void {
  setMemoryBytes(bytes);
}

/** Bytes of memory in use: static data, arenas, asks. */
export function memoryUsedBytes(): u32 {
  return usedBytes();
}

/** 1 while the device is not worn: the board may stop the sensor and wake it by motion. */
export function isAsleep(): i32 {
  return isNotWorn() ? 1 : 0;
}

begin();
for (let bytes = readLink(input, INPUT_BYTES); bytes > 0; bytes = readLink(input, INPUT_BYTES)) receive(input, bytes);
