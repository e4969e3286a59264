import { LINK_DEVICE } from "../../assembly/device/layout.ts";
import { createFrameIntake, noiseText } from "../agent/sensors/device-sensor.ts";
import { encodeNodeHello } from "../link/hello.ts";
import { linkAddressText } from "../link/link-address.ts";
import { openLinkPort } from "../link/link-port.ts";
import { createLinkDecoder, createLinkWriter } from "../link/stream.ts";
import type { FoundPort } from "./device-match.ts";
import type { Gateway, NodeEnd, Served } from "./gateway-types.ts";
import { runMirrorNode } from "./mirror-node.ts";
import { runSensorNode } from "./sensor-node.ts";

/** A port that is silent for so long is greeted: a device that decides itself answers. */
const GREET_MILLIS = 2000;
/** Bytes without a frame after which a port is said to send noise. */
const NOISE_BYTES = 2048;
/** Bytes that may wait until it is known who takes them, and its agent is open. */
const MAX_EARLY_BYTES = 65_536;

/** Who takes the bytes of a port. */
interface Taker {
  push(bytes: Uint8Array): void;
  lost(): void;
}

/**
 * Serves the device on a port from its first frame until it goes or the signal aborts: one that sends sensor frames gets the agent here,
 * one that decides itself is mirrored. Resolves to whether it should begin again at once. Rejects for a port that cannot be opened.
 */
export async function servePort(gateway: Gateway, served: Served, { address }: FoundPort): Promise<NodeEnd> {
  const { clock } = gateway;
  const name = linkAddressText(address);
  const port = await openLinkPort(address);
  const over = new AbortController();
  const { signal } = over; // of this session alone: AbortSignal.any would leave a reference in the gateway's signal for each
  signal.addEventListener("abort", () => port.close(), { once: true });
  const stop = () => over.abort();
  served.signal.addEventListener("abort", stop, { once: true });
  if (served.signal.aborted) stop();
  let taker: Taker | undefined;
  let serving: Promise<NodeEnd> | undefined;
  let fault: unknown;
  let badBytes = 0;
  let isNoiseSaid = false;

  const begin = (isSensor: boolean): void => {
    cancelGreeting();
    const mine: Served = { ...served, signal };
    let started: Promise<NodeEnd>;
    if (isSensor) {
      started = gateway.agents.open(served.agentName).then(({ agent: { definition } }) => {
        const intake = createFrameIntake(name, definition.sensor, sayOnce(served.say), () => over.abort());
        taker = intake;
        for (const bytes of early.splice(0)) intake.push(bytes);
        signal.addEventListener("abort", () => intake.sensor.device.close(), { once: true });
        return runSensorNode(gateway, mine, intake.sensor);
      });
    } else {
      const mirror = runMirrorNode(gateway, mine, { name, write: (bytes) => port.write(bytes) });
      taker = mirror;
      for (const bytes of early.splice(0)) mirror.push(bytes);
      started = mirror.ended.then(() => ({ isRebooted: false }));
    }
    serving = started
      .catch((error: unknown) => {
        fault = error;
        return { isRebooted: false };
      })
      .finally(() => over.abort());
  };
  const early: Uint8Array[] = []; // until somebody takes them; the oldest give way
  const keepEarly = (bytes: Uint8Array) => {
    early.push(bytes);
    while (early.length > 1 && early.reduce((sum, { length }) => sum + length, 0) > MAX_EARLY_BYTES) early.shift();
  };
  const first = createLinkDecoder({
    onFrame: ({ type }) => {
      if (serving === undefined) begin(type === "sensor" || type === "local-sensor");
    },
    onBad(reason, bytes) {
      badBytes += bytes;
      if (badBytes <= NOISE_BYTES || isNoiseSaid) return;
      isNoiseSaid = true;
      served.say(noiseText(name, reason));
    },
  });
  const greet = () => {
    try {
      port.write(Uint8Array.of(0)); // ends any noise before it
      createLinkWriter((bytes) => port.write(bytes)).message(
        "hello",
        LINK_DEVICE,
        encodeNodeHello({ node: "gateway", unixMillis: Math.round(clock.wall()) }),
      );
      cancelGreeting = clock.after(GREET_MILLIS, greet);
    } catch {
      // a pipe: nothing can be written to it
    }
  };
  let cancelGreeting = clock.after(GREET_MILLIS, greet);
  served.say(`reading ${name}`);
  try {
    for await (const bytes of port.bytes) {
      if (taker !== undefined) {
        taker.push(bytes);
        continue;
      }
      keepEarly(bytes);
      if (serving === undefined) first.push(bytes);
    }
  } catch (error) {
    if (!signal.aborted) served.say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  cancelGreeting();
  taker?.lost();
  const isGone = !signal.aborted;
  served.signal.removeEventListener("abort", stop);
  over.abort();
  const end = (await serving) ?? { isRebooted: false };
  if (fault !== undefined) throw fault;
  if (isGone) served.say(`${name} has gone; looking for it again`);
  return end;
}

/** Tells a sentence once until another one comes. */
function sayOnce(say: (line: string) => void): (line: string) => void {
  let said = "";
  return (line) => {
    if (line !== said) say(line);
    said = line;
  };
}
