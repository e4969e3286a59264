import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";

/** What a bad network does to what goes through: segments lost and resent, as TCP would, and late. */
export interface Weather {
  readonly lossRate: number; // of segments; each try of a lost one waits twice as long
  readonly jitterMillis: number; // each segment is late by up to this; order is kept, as TCP keeps it
}

export interface TcpProxy {
  readonly port: number;
  weather: Weather | undefined;
  /** Half-open: nothing goes through any more, no end learns of it, and new connections meet silence. */
  freeze(): void;
  /** New connections work again. What was frozen stays so. */
  thaw(): void;
  close(): Promise<void>;
}

const SEGMENT_BYTES = 1460;
const FIRST_RESEND_MILLIS = 200; // RFC 6298's minimum is a second; Linux begins at 200 ms
const MAX_RESENDS = 6;

/** A loopback proxy to `targetPort` whose misfortunes `random` draws. `tap` gets all that goes through, by connection and direction. */
export async function startTcpProxy(
  targetPort: number,
  random: () => number,
  tap: (stream: string, bytes: Buffer) => void = () => {},
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let frozen = new WeakSet<Socket>();
  const hold = (socket: Socket) => sockets.add(socket.setNoDelay(true).on("error", () => {}));

  let connections = 0;
  const server = createServer((inner) => {
    const connection = connections++;
    hold(inner);
    if (isFrozen) {
      frozen.add(inner);
      inner.on("data", () => {});
      return;
    }
    const outer = createConnection(targetPort, "127.0.0.1");
    hold(outer);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      const carry = carrier(to, () => !frozen.has(from) && !frozen.has(to));
      const stream = `${connection} ${from === inner ? "out" : "in"}`;
      from.on("data", (bytes: Buffer) => {
        tap(stream, bytes);
        carry(bytes);
      });
      from.on("close", () => {
        sockets.delete(from);
        if (!frozen.has(from)) carry(undefined);
      });
    }
  });

  /** Delivers in order; what is late holds up what comes after it. */
  function carrier(to: Socket, isOpen: () => boolean): (bytes: Buffer | undefined) => void {
    let clearAt = 0;
    return (bytes) => {
      for (let at = 0; at < (bytes?.length ?? 1); at += SEGMENT_BYTES) {
        const segment = bytes?.subarray(at, at + SEGMENT_BYTES);
        clearAt = Math.max(clearAt, performance.now() + lateness());
        const deliver = () => {
          if (!isOpen()) return;
          if (segment === undefined) to.destroy();
          else if (!to.destroyed) to.write(segment);
        };
        const wait = clearAt - performance.now();
        if (wait <= 0) deliver();
        else setTimeout(deliver, wait);
      }
    };
  }

  function lateness(): number {
    if (!proxy.weather) return 0;
    const { lossRate, jitterMillis } = proxy.weather;
    let millis = random() * jitterMillis;
    for (let resend = 0; resend < MAX_RESENDS && random() < lossRate; resend++) millis += FIRST_RESEND_MILLIS * 2 ** resend;
    return millis;
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    weather: undefined,
    freeze() {
      isFrozen = true;
      frozen = new WeakSet(sockets);
    },
    thaw() {
      isFrozen = false;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
