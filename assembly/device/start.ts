import {
  COUNTER_BOOTS, COUNTER_WORDS, DEVICE_AGENTS, LINK_DEVICE, LOG_FRESH, LOG_IMAGE_REFUSED, LOG_NO_MEMORY, LOG_RESTORED, LOG_SNAPSHOT_REFUSED,
  LOG_STORE_FAILED, SLOT_A, SLOT_B, SLOT_FACTORY, SLOT_NONE, START_NONE, START_REFUSED, START_RESTORED,
} from "./layout";
import { HEADER_IMAGE_BYTES, HEADER_MAGIC, IMAGE_MAGIC, STATUS_ARENA_TOO_SMALL, STATUS_BAD_MAGIC, STATUS_BAD_SIZE, STATUS_OK } from "../layout";
import { neededBytes, prepareModel } from "../model";
import { startAsks } from "./asks";
import { journalSlot, readJournal, restoreSetPoint, restoreState, writeRecord } from "./journal";
import { sendLog } from "./link-out";
import { startMotion } from "./motion";
import { claim, clearRoom, closeArenas, roomAt, roomFor } from "./room";
import { agentAt, agents, count, counters, defaultOptions, forgetTick, setAgents } from "./state";
import { hasStore, slotBytes, slotOffset, startStore, storeAgents, storeAt } from "./store";

/** Where the image in a slot begins. Its length is in `imageBytesAt`. */
export function imageAt(index: i32, slot: i32): usize {
  if (slot == SLOT_FACTORY) return agentAt(index).factory;
  return index < storeAgents() && slotBytes() != 0 ? storeAt(slotOffset(index, slot)) : 0;
}

function imageBytesAt(index: i32, slot: i32): u32 {
  return slot == SLOT_FACTORY ? agentAt(index).factoryBytes : load<u32>(imageAt(index, slot), HEADER_IMAGE_BYTES);
}

/** Whether an image of so many bytes at `image` is one this device can run: STATUS_OK, and `neededBytes()` of arena. */
export function tryImage(image: usize, bytes: u32): i32 {
  const status = prepareModel(image, bytes, roomAt(), 0);
  return status == STATUS_ARENA_TOO_SMALL ? STATUS_OK : status;
}

/** Runs the image in a slot, or returns why not. */
function runSlot(index: i32, slot: i32): i32 {
  const image = imageAt(index, slot);
  if (image == 0 || load<u32>(image, HEADER_MAGIC) != IMAGE_MAGIC) return STATUS_BAD_MAGIC;
  const bytes = imageBytesAt(index, slot);
  if (slot != SLOT_FACTORY && bytes > slotBytes()) return STATUS_BAD_SIZE;
  const status = tryImage(image, bytes);
  if (status != STATUS_OK) return status;
  const needs = neededBytes();
  const arena = claim(needs);
  if (arena == 0) {
    sendLog(LOG_NO_MEMORY, index, needs - roomFor(needs));
    return STATUS_ARENA_TOO_SMALL;
  }
  const agent = agentAt(index);
  agent.image = image;
  agent.imageBytes = bytes;
  agent.model = arena;
  agent.arenaBytes = needs;
  agent.slot = slot;
  return prepareModel(image, bytes, arena, needs);
}

/** Runs the agent's image: the one the journal names, else whichever is sound. */
function startAgent(index: i32): void {
  const agent = agentAt(index);
  agent.image = 0;
  agent.slot = SLOT_NONE;
  agent.start = START_NONE;
  agent.hasSetPoint = 0;
  agent.status = STATUS_BAD_MAGIC;
  const wanted = journalSlot(index, SLOT_A);
  for (let i = 0; i < 3; i++) {
    // wanted, then the others in the order A, B, factory
    const slot = i == 0 ? wanted : i == 1 ? (wanted == SLOT_A ? SLOT_B : SLOT_A) : wanted == SLOT_FACTORY ? SLOT_B : SLOT_FACTORY;
    const status = runSlot(index, slot);
    if (status == STATUS_OK) {
      agent.status = STATUS_OK;
      break;
    }
    if (status != STATUS_BAD_MAGIC) {
      agent.status = status;
      sendLog(LOG_IMAGE_REFUSED, index, status * 256 + slot);
    }
  }
  agent.wanted = agent.slot == SLOT_NONE ? SLOT_A : agent.slot;
  if (agent.image == 0) return;
  restoreSetPoint(index);
  restoreState(index);
  if (agent.start == START_RESTORED) sendLog(LOG_RESTORED, index, 0);
  else if (agent.start == START_REFUSED) sendLog(LOG_SNAPSHOT_REFUSED, index, agent.status);
  else sendLog(LOG_FRESH, index, 0);
}

/** Everything from power-on to the first frame. Runs again when an update was accepted. */
export function start(): void {
  clearRoom();
  forgetTick();
  memory.fill(counters, 0, COUNTER_WORDS << 2);
  defaultOptions();
  startStore();
  readJournal();
  count(COUNTER_BOOTS);
  let n = storeAgents();
  for (let i = 0; i < DEVICE_AGENTS; i++) if (agentAt(i).factory != 0) n = max<i32>(n, i + 1);
  setAgents(n);
  for (let i = 0; i < agents; i++) startAgent(i);
  closeArenas();
  startAsks();
  startMotion();
  if (!hasStore()) return;
  const error = writeRecord();
  if (error != 0) sendLog(LOG_STORE_FAILED, LINK_DEVICE, error);
}
