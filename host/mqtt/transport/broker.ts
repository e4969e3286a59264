import { createServer, type Socket } from "node:net";
import { systemClock } from "../../core/system/clock.ts";
import { MqttError } from "../../core/system/errors.ts";
import { hostText, listenAt } from "../../core/system/listen-address.ts";
import { createRepeatLimit } from "../../core/system/repeat-limit.ts";
import { MAX_PACKET_BYTES } from "../wire/payloads.ts";
import { type GuardEvent, GuardedAedes } from "./broker-guard.ts";
import { boundBrokerMemory, type MessageStore } from "./broker-memory.ts";

/** Sessions and delayed wills that the broker keeps for absent clients. */
const MAX_ABSENT_SESSIONS = 10_000;
/** QoS 1 messages that one client may have under way to the broker. */
const RECEIVE_MAXIMUM = 256;
/** Longest that an absent client's session is kept: a week. */
const MAX_SESSION_EXPIRY_SECONDS = 604_800;

/** Connections at once. */
const MAX_CONNECTIONS = 10_000;
/** What waits for sessions, and what is retained; QoS 2 messages are bounded by the Receive Maximum. */
const MEMORY_LIMITS = {
  ...{ sessionMessages: 10_000, sessionBytes: 16_777_216, totalBytes: 134_217_728 },
  ...{ retainedTopics: 20_000, retainedBytes: 33_554_432, unreleased: RECEIVE_MAXIMUM },
};

const GUARD_CODES: Readonly<Record<GuardEvent, readonly [code: string, did: string]>> = {
  "slow-drop": ["BROKER_SLOW_CLIENT", "reads too slowly: a QoS 0 message to it was dropped"],
  "slow-cut": ["BROKER_SLOW_CLIENT", "does not read: it was disconnected"],
  malformed: ["BROKER_MALFORMED_PACKET", "sent a malformed packet: it was disconnected"],
  "too-large": ["BROKER_PACKET_TOO_LARGE", "sent a packet above the Maximum Packet Size: it was disconnected"],
  subscriptions: ["BROKER_SUBSCRIPTION_REFUSED", "was refused a subscription"],
};

export interface BrokerServerOptions {
  /** TCP port; 0 = any free one. */
  readonly port: number;
  /** Default 127.0.0.1: the embedded broker has no users, so it listens beyond this machine only on request. */
  readonly host?: string;
  /** What was dropped, and who was disconnected; each code a bounded number of times per minute. */
  readonly onAnomaly?: (error: MqttError) => void;
}

export interface BrokerServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  clients(): number;
  /** Closes every connection, also silent and stalled ones, and stops listening. */
  close(): Promise<void>;
}

/** Starts the embedded MQTT 5 broker (aedes, in memory). Example: `const broker = await startBroker({ port: 1883 })`. */
export async function startBroker(options: BrokerServerOptions): Promise<BrokerServer> {
  const host = options.host ?? "127.0.0.1";
  const sockets = new Set<Socket>();
  const anomalies = createRepeatLimit(systemClock, (code, message) => options.onAnomaly?.(new MqttError(code, message)));
  const limits = {
    maximumPacketSize: MAX_PACKET_BYTES,
    receiveMaximum: RECEIVE_MAXIMUM,
    pendingSessionsLimit: MAX_ABSENT_SESSIONS,
    sessionExpiryIntervalLimit: MAX_SESSION_EXPIRY_SECONDS,
  };
  const aedes = new GuardedAedes(limits, sockets, (event, client, detail) => {
    const [code, did] = GUARD_CODES[event];
    anomalies.tell(code, `client ${JSON.stringify(client.id)} ${did} (${detail}).`);
  });
  await aedes.listen();
  boundBrokerMemory((aedes as unknown as { persistence: MessageStore }).persistence, MEMORY_LIMITS, systemClock.wall, (what, owner) =>
    what === "queued"
      ? anomalies.tell("BROKER_QUEUE_FULL", `a message for session ${JSON.stringify(owner)} was dropped: its queue is full.`)
      : anomalies.tell("BROKER_RETAINED_FULL", `a message on ${JSON.stringify(owner)} was not retained: no room for more.`),
  );
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.once("close", () => sockets.delete(socket)));
    aedes.handle(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("drop", () => anomalies.tell("BROKER_CONNECTIONS_FULL", `a connection was refused: ${MAX_CONNECTIONS} are open.`));
  let port: number;
  try {
    port = await listenAt(server, { host, port: options.port });
  } catch (cause) {
    await new Promise<void>((resolve) => aedes.close(resolve));
    const isTaken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new MqttError(
      isTaken ? "BROKER_PORT_TAKEN" : "BROKER_LISTEN_FAILED",
      isTaken
        ? `port ${options.port} on ${host} is in use. Choose another --port, or use the broker that already listens there.`
        : `the broker cannot listen on ${host}:${options.port}: ${(cause as Error).message}. Choose another host or port.`,
      { cause },
    );
  }
  let closed: Promise<void> | undefined;
  return {
    url: `mqtt://${hostText(host)}:${port}`,
    host,
    port,
    clients: () => aedes.connectedClients,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) if (socket.writableNeedDrain) socket.destroy(); // a DISCONNECT would wait behind what it does not read
        aedes.close(() => {
          anomalies.flush();
          for (const socket of sockets) socket.destroy(); // aedes lists only those that sent CONNECT
        });
      });
      return closed;
    },
  };
}
