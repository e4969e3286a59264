import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBroker } from "../../host/mqtt/transport/broker.ts";

/** A broker that a suite runs against. `kill` is sudden; `start` brings it back on the same port, its memory gone. */
export interface TestBroker {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  close(): Promise<void>;
}

export const MOSQUITTO = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"].find((path) => existsSync(path));

/** Whether the real broker is installed. */
export function hasMosquitto(): boolean {
  return MOSQUITTO !== undefined;
}

/** The embedded broker, in this process. */
export async function aedesBroker(): Promise<TestBroker> {
  let broker = await startBroker({ port: 0 });
  const { port, url } = broker;
  return {
    url,
    async start() {
      broker = await startBroker({ port });
    },
    kill: () => broker.close(),
    close: () => broker.close(),
  };
}

/** Debian's mosquitto on a free loopback port, nothing persisted; stopped by its own process id. */
export async function mosquittoBroker(config: readonly string[] = []): Promise<TestBroker> {
  if (MOSQUITTO === undefined) throw new Error("mosquitto is not installed. apt-get install mosquitto, or unset DORMOUSE_REQUIRE_ALL.");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "dormouse-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  writeFileSync(
    file,
    [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence false",
      "log_type none",
      "set_tcp_nodelay true",
      ...config,
      "",
    ].join("\n"),
  );
  let child: ChildProcess | undefined;
  const broker: TestBroker = {
    url: `mqtt://127.0.0.1:${port}`,
    async start() {
      child = spawn(MOSQUITTO, ["-c", file], { stdio: "ignore" });
      await listening(port, child);
    },
    async kill() {
      const dying = child;
      child = undefined;
      if (!dying || dying.exitCode !== null) return;
      const gone = new Promise((resolve) => dying.once("exit", resolve));
      dying.kill("SIGKILL");
      await gone;
    },
    async close() {
      await broker.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await broker.start();
  return broker;
}

/** A port on loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

export async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with code ${child.exitCode} before it listened on ${port}`);
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`mosquitto did not listen on ${port}`);
}
