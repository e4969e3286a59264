import { connect, type Socket } from "node:net";

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
