import {
  COUNTER_WORDS, DEVICE_VERSION, HELLO_AGENT_BYTES, HELLO_OUT_BYTES, LINK_CREDITS, LINK_DEVICE, LINK_HELLO, LINK_TELEMETRY, LINK_VERSION,
  TELEMETRY_HEADER_BYTES,
} from "./layout";
import { HEADER_SHA256, RUNS_BYTES, RUNS_WORDS } from "../layout";
import { runsWord } from "../runs";
import { asksKept, nextAsk } from "./asks";
import { payload, send } from "./link-out";
import { isNotWorn } from "./motion";
import { usedBytes } from "./room";
import { agentAt, agents, counters, tick } from "./state";
import { slotBytes } from "./store";

/** Who this is: versions, boots, and for each agent the image that runs and how its state began. */
export function sendHello(): void {
  for (let i = 0; i < RUNS_WORDS; i++) store<u32>(payload + <usize>(i << 2), runsWord(i));
  const own = payload + RUNS_BYTES;
  store<u16>(own, LINK_VERSION);
  store<u8>(own, <u8>agents, 2);
  store<u8>(own, LINK_CREDITS, 3);
  store<u32>(own, DEVICE_VERSION, 4);
  store<u32>(own, load<u32>(counters), 8); // COUNTER_BOOTS
  store<u32>(own, tick, 12);
  store<u32>(own, slotBytes(), 16);
  let p = payload + HELLO_OUT_BYTES;
  for (let i = 0; i < agents; i++) {
    const agent = agentAt(i);
    store<u8>(p, <u8>agent.slot);
    store<u8>(p, <u8>agent.start, 1);
    store<u16>(p, 0, 2);
    store<i32>(p, agent.status, 4);
    store<u32>(p, agent.image == 0 ? 0 : agent.arenaBytes, 8);
    for (let w: usize = 0; w < 32; w += 4) store<u32>(p + 12 + w, agent.image == 0 ? 0 : load<u32>(agent.image + HEADER_SHA256 + w));
    p += HELLO_AGENT_BYTES;
  }
  send(LINK_HELLO, LINK_DEVICE, HELLO_OUT_BYTES + agents * HELLO_AGENT_BYTES);
}

/** Counters and levels. */
export function sendTelemetry(): void {
  store<u32>(payload, tick);
  store<u32>(payload, usedBytes(), 4);
  store<u8>(payload, isNotWorn() ? 1 : 0, 8);
  store<u8>(payload, <u8>asksKept(), 9);
  store<u16>(payload, 0, 10);
  store<u32>(payload, nextAsk(), 12);
  memory.copy(payload + TELEMETRY_HEADER_BYTES, counters, COUNTER_WORDS << 2);
  send(LINK_TELEMETRY, LINK_DEVICE, TELEMETRY_HEADER_BYTES + (COUNTER_WORDS << 2));
}
