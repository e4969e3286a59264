import { type AddressInfo, connect, createServer, type Socket } from "node:net";

const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
};

/** An MQTT packet with a Remaining Length of at most 16,383. */
export function packet(firstByte: number, ...parts: readonly (string | Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Buffer.concat([Buffer.of(firstByte, ...length), body]);
}

export const connectPacket = (clientId: string | Buffer, isClean = true): Buffer =>
  packet(0x10, text("MQTT"), [5, isClean ? 2 : 0, 0, 0, ...(isClean ? [0] : [5, 0x11, 0, 0, 2, 88])], text(clientId)); // else 600 s
export const subscribePacket = (filter: string | Buffer, qos = 0): Buffer => packet(0x82, [0, 1, 0], text(filter), [qos]);
export const publishPacket = (topic: string | Buffer, payload = "x"): Buffer => packet(0x30, text(topic), [0], payload);

/** A peer that speaks MQTT byte by byte: connected, with its CONNACK behind it unless told otherwise. */
export async function rawClient(port: number, clientId: string, isClean = true): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(connectPacket(clientId, isClean));
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

/** All that comes until the other end closes. */
export function untilClosed(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => socket.once("close", () => resolve(Buffer.concat(chunks))));
}

/** A server that accepts one MQTT client at a time, byte by byte, and grants whatever it asks. */
export interface RawServer {
  readonly url: string;
  /** Everything that came, packet by packet. */
  readonly packets: Buffer[];
  /** The last connection. */
  readonly socket: () => Socket | undefined;
  close(): void;
}

/** `properties` are those of the CONNACK. */
export async function rawServer(properties: readonly number[] = []): Promise<RawServer> {
  const packets: Buffer[] = [];
  let last: Socket | undefined;
  const server = createServer((socket) => {
    last = socket.on("error", () => {});
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let whole = firstPacket(pending); whole !== undefined; whole = firstPacket(pending)) {
        pending = pending.subarray(whole.length);
        packets.push(whole);
        const kind = whole[0]! >> 4;
        if (kind === 1) socket.write(packet(0x20, [0, 0, properties.length], properties));
        if (kind === 8) socket.write(packet(0x90, [whole[2]!, whole[3]!, 0, 1]));
        if (kind === 3 && (whole[0]! & 6) !== 0) socket.write(packet(0x40, packetId(whole)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    packets,
    socket: () => last,
    close() {
      last?.destroy();
      server.close();
    },
  };
}

function headerOf(bytes: Buffer): { readonly headerBytes: number; readonly length: number } | undefined {
  for (let at = 1, length = 0; at < bytes.length; at++) {
    length += (bytes[at]! & 127) * 128 ** (at - 1);
    if (bytes[at]! < 128) return { headerBytes: at + 1, length };
  }
  return undefined;
}

function firstPacket(bytes: Buffer): Buffer | undefined {
  const header = headerOf(bytes);
  if (header === undefined || bytes.length < header.headerBytes + header.length) return undefined;
  return bytes.subarray(0, header.headerBytes + header.length);
}

/** Of a QoS 1 PUBLISH. */
function packetId(publish: Buffer): Buffer {
  const { headerBytes } = headerOf(publish)!;
  const at = headerBytes + 2 + publish.readUInt16BE(headerBytes);
  return publish.subarray(at, at + 2);
}
