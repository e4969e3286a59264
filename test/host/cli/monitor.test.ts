import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { openLinkFile } from "../../../host/link/link-port.ts";
import { readLinkStream } from "../../../host/link/stream.ts";
import { cli } from "./fake-io.ts";

const golden = (name: string) => join(packageRoot(), "test", "golden", name);
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown> & { type: string });

describe("dormouse monitor", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dormouse-monitor-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("shows a recording of what a device sent, a JSON line a message and the counts last", async () => {
    const { code, stdout } = await cli(["monitor", golden("device-out.dls"), "--json"]);
    expect(code).toBe(0);
    const shown = lines(stdout);
    expect(shown.at(-1)).toMatchObject({ type: "end", bad: 0, lost: 0, unread: 0 });
    expect(shown.find(({ type }) => type === "hello")).toMatchObject({ firmware: "0.1.0", agents: [{ slot: "a", start: "fresh" }] });
    expect(shown.filter(({ type }) => type === "decision").length).toBeGreaterThan(5);
    expect(shown.filter(({ type }) => type === "log").map(({ text }) => text)).toContain(
      "worn again; 1 = by command or the motion interrupt",
    );
  });

  it("shows what a node sent, and names what is no frame", async () => {
    const { code, stdout, stderr } = await cli(["monitor", golden("device.dls"), "--sent", "--json"]);
    expect(code).toBe(0);
    expect(lines(stdout)[0]).toMatchObject({ type: "hello", node: "golden", newTicks: true });
    expect(lines(stdout).filter(({ type }) => type === "local-sensor")).not.toEqual([]);
    expect(stderr).toContain("bad: 3 B");
    const text = await cli(["monitor", golden("device.dls"), "--sent"]);
    expect(text.stdout).toContain("option notWornTicks  value 64");
    expect(text.stderr).toMatch(/\d+ frames, 1 bad/);
  });

  it("greets a device over tcp, shows its answer and keeps the bytes", async () => {
    const answer = readFileSync(golden("device-out.dls"));
    const heard: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on("data", (bytes) => heard.push(bytes));
      socket.end(answer);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const capture = join(folder, "captured.dls");
    writeFileSync(capture, "of an earlier release", { mode: 0o644 });
    const { code, stdout } = await cli(["monitor", `tcp:127.0.0.1:${port}`, "--hello", "--capture", capture, "--json"]);
    await new Promise((done) => server.close(done));
    expect(code).toBe(0);
    expect(lines(stdout).at(-1)).toMatchObject({ type: "end", bad: 0 });
    expect(readFileSync(capture).equals(answer)).toBe(true);
    if (process.platform !== "win32") expect(statSync(capture).mode & 0o777).toBe(0o600);
    expect(readLinkStream(Buffer.concat(heard)).frames).toMatchObject([{ type: "hello" }]);
  });

  it("a pipe that nobody writes to → ends when it is told to (needs mkfifo)", async (context) => {
    const pipe = join(folder, "pipe");
    if (spawnSync("mkfifo", [pipe]).status !== 0) context.skip("mkfifo not installed: Node makes no named pipe");
    const { stderr } = await cli(["monitor", pipe, "--seconds", "0.1"]);
    expect(stderr).toContain("0 frames");
  });

  it("names the likely cause of bytes that are no frames", async () => {
    const file = join(folder, "nmea.txt");
    writeFileSync(file, "$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n".repeat(200));
    const { code, stdout, stderr } = await cli(["monitor", file, "--json"]);
    expect(code).toBe(1); // no frame at all
    expect(lines(stdout).find(({ type }) => type === "end")).toMatchObject({ frames: 0, bad: 1, likelyCause: "text" });
    expect(stderr).toContain("likely cause: plain text");
    const sound = await cli(["monitor", golden("device-out.dls")]);
    expect(sound.stderr).not.toContain("likely cause");
  });

  it("refuses what it cannot open or write to, with what to do", async () => {
    const missing = await cli(["monitor", join(folder, "none"), "--json"]);
    expect(missing.code).toBe(1);
    expect(lines(missing.stdout)[0]).toMatchObject({ error: { code: "PORT_MISSING" } });
    const file = join(folder, "empty.dls");
    writeFileSync(file, "");
    const readOnly = await cli(["monitor", file, "--hello"]);
    expect(readOnly.code).toBe(1);
    expect(readOnly.stderr).toContain("recording");
    const closed = await cli(["monitor", "tcp:127.0.0.1:1", "--json"]);
    expect(lines(closed.stdout)[0]).toMatchObject({ error: { code: "PORT_CLOSED" } });
  });

  it("tells of what does not open to whoever reads it, and to nobody who has closed it before", async () => {
    const path = join(folder, "socket");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const unread = openLinkFile(path); // a socket is there, and no stream of bytes
    unread.close();
    const read = async () => {
      for await (const _ of openLinkFile(path).bytes);
    };
    await expect(read()).rejects.toMatchObject({ code: "ENXIO" });
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
