import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type MetricsServer, startMetricsServer } from "../../../host/telemetry/metrics-server.ts";

describe("the metrics server", () => {
  let server: MetricsServer;
  const peers: Socket[] = [];
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.destroy();
    await server.close();
  });

  async function halfOpen(text: string): Promise<void> {
    const peer = connect(Number(new URL(server.url).port), "127.0.0.1");
    peer.on("error", () => {});
    peers.push(peer);
    await new Promise((resolve) => peer.once("connect", resolve));
    peer.write(text);
  }

  it.each(["GET /metrics HTTP/1.1\r\nHost: a\r\nX", "", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"])(
    "has 40 peers that sent %j and no more → it still answers at once",
    async (text) => {
      server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, (response) => response.end("figures 1\n"));
      for (let n = 0; n < 40; n++) await halfOpen(text);
      const response = await fetch(server.url);
      expect([response.status, await response.text()]).toEqual([200, "figures 1\n"]);
    },
  );

  it("answers GET /metrics alone", async () => {
    server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, (response) => response.end("figures 1\n"));
    expect((await fetch(server.url, { method: "POST" })).status).toBe(404);
    expect((await fetch(new URL("/other", server.url))).status).toBe(404);
  });
});
