import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import * as device from "../../assembly/device/layout.ts";
import * as layout from "../../assembly/layout.ts";
import { encodeRuns, hostRuns } from "../../host/core/image/runs.ts";
import { encodeAck } from "../../host/link/ack.ts";
import type { LinkFrame } from "../../host/link/frame.ts";
import { createLinkDecoder, createLinkWriter, type LinkWriter } from "../../host/link/stream.ts";

/** What firmware says of itself, without its core: hello, decisions and telemetry over TCP; set-points and commands are acknowledged and kept. */
export interface LinkDevice {
  readonly port: number;
  /** Frames that were sent to it. */
  readonly heard: LinkFrame[];
  readonly isPlugged: boolean;
  decide(label: number, options?: { readonly confidenceQ15?: number; readonly tick?: number; readonly why?: number }): void;
  telemetry(frames: number): void;
  /** Any frame, or bytes that are none. */
  link(): LinkWriter;
  raw(bytes: Uint8Array): void;
  /** Status of the next acks. */
  ackStatus: number;
  unplug(): void;
  plug(): Promise<void>;
  close(): Promise<void>;
}

export async function openLinkDevice(imageHash: string, answersHello = true): Promise<LinkDevice> {
  let socket: Socket | undefined;
  let writer: LinkWriter | undefined;
  let server: Server;
  let port = 0;
  const heard: LinkFrame[] = [];
  let ackStatus = 0;
  const onFrame = (frame: LinkFrame) => {
    heard.push(frame);
    if (heard.length > 256) heard.shift();
    if (frame.type === "hello") {
      if (answersHello) writer!.message("hello", device.LINK_DEVICE, helloPayload(imageHash));
      return;
    }
    const ack = { sequence: frame.sequence, type: frame.type, credits: device.LINK_CREDITS, status: ackStatus, number: 0 };
    if (frame.type !== "ack") writer!.message("ack", frame.agent, encodeAck(ack));
  };
  const plug = async () => {
    server = createServer((accepted) => {
      socket = accepted;
      writer = createLinkWriter((bytes) => accepted.write(bytes));
      const decoder = createLinkDecoder({ onFrame });
      accepted.on("data", (bytes) => decoder.push(bytes));
      accepted.on("error", () => {});
      accepted.on("close", () => {
        if (socket === accepted) socket = undefined;
      });
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  };
  await plug();
  const unplug = () => {
    socket?.destroy();
    server.close();
  };
  return {
    get ackStatus() {
      return ackStatus;
    },
    set ackStatus(status) {
      ackStatus = status;
    },
    get port() {
      return port;
    },
    heard,
    get isPlugged() {
      return socket !== undefined;
    },
    decide: (label: number, { confidenceQ15 = 30_000, tick = 0, why = 0 } = {}) =>
      writer?.message("decision", 0, decisionPayload(label, confidenceQ15, tick, why)),
    telemetry: (frames: number) => writer?.message("telemetry", device.LINK_DEVICE, telemetryPayload(frames)),
    link: () => writer!,
    raw: (bytes: Uint8Array) => void socket?.write(bytes),
    unplug,
    plug,
    close: () => {
      unplug();
      return Promise.resolve();
    },
  };
}

function helloPayload(imageHash: string): Uint8Array {
  const payload = new Uint8Array(device.HELLO_OUT_BYTES + device.HELLO_AGENT_BYTES);
  const view = new DataView(payload.buffer);
  payload.set(encodeRuns(hostRuns));
  const own = layout.RUNS_BYTES;
  view.setUint16(own, device.LINK_VERSION, true);
  payload[own + 2] = 1; // agents
  payload[own + 3] = device.LINK_CREDITS;
  view.setUint32(own + 4, (1 << 16) | (2 << 8) | 3, true); // firmware 1.2.3
  view.setUint32(own + 8, 1, true); // boots
  payload[device.HELLO_OUT_BYTES] = device.SLOT_FACTORY;
  payload[device.HELLO_OUT_BYTES + 1] = device.START_FRESH;
  payload.set(Buffer.from(imageHash, "hex"), device.HELLO_OUT_BYTES + 12);
  return payload;
}

function decisionPayload(label: number, confidenceQ15: number, tick: number, why: number): Uint8Array {
  const payload = new Uint8Array(device.DECISION_OUT_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint32(4 * layout.DECISION_LABEL, label, true);
  view.setUint32(4 * layout.DECISION_CONFIDENCE, confidenceQ15, true);
  view.setUint32(4 * layout.DECISION_WHY, why, true);
  view.setUint32(4 * layout.DECISION_TICK, tick, true);
  return payload;
}

function telemetryPayload(frames: number): Uint8Array {
  const payload = new Uint8Array(device.TELEMETRY_HEADER_BYTES + 4 * device.COUNTER_WORDS);
  new DataView(payload.buffer).setUint32(device.TELEMETRY_HEADER_BYTES + 4 * device.COUNTER_FRAMES, frames, true);
  return payload;
}
