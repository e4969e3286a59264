import { type AddressInfo, createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import { MqttError } from "../core/errors.ts";
import { MAX_PACKET_BYTES } from "./payloads.ts";

/** Sessions and delayed wills that the broker keeps for absent clients. */
const MAX_ABSENT_SESSIONS = 10_000;
/** QoS 1 messages that one client may have under way to the broker. */
const RECEIVE_MAXIMUM = 256;
/** Longest that an absent client's session is kept: a week. */
const MAX_SESSION_EXPIRY_SECONDS = 604_800;

export interface BrokerServerOptions {
  /** TCP port; 0 = any free one. */
  readonly port: number;
  /** Default 127.0.0.1: the embedded broker knows no users, so it does not listen beyond the machine unless asked to. */
  readonly host?: string;
}

export interface BrokerServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  clients(): number;
  /** Ends every connection, also of those who have said nothing yet, and stops listening. */
  close(): Promise<void>;
}

/** Starts the embedded MQTT 5 broker (aedes, in memory). Example: `const broker = await startBroker({ port: 1883 })`. */
export async function startBroker(options: BrokerServerOptions): Promise<BrokerServer> {
  const host = options.host ?? "127.0.0.1";
  const aedes = await Aedes.createBroker({
    maximumPacketSize: MAX_PACKET_BYTES,
    receiveMaximum: RECEIVE_MAXIMUM,
    pendingSessionsLimit: MAX_ABSENT_SESSIONS,
    sessionExpiryIntervalLimit: MAX_SESSION_EXPIRY_SECONDS,
  });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.once("close", () => sockets.delete(socket)));
    aedes.handle(socket);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, host, resolve);
    });
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
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    url: `mqtt://${host.includes(":") ? `[${host}]` : host}:${port}`,
    host,
    port,
    clients: () => aedes.connectedClients,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        aedes.close(() => {
          for (const socket of sockets) socket.destroy(); // aedes knows those alone that have said CONNECT
        });
      });
      return closed;
    },
  };
}
