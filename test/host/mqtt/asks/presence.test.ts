import { type AddressInfo, createServer } from "node:net";
import { Aedes, type Client } from "aedes";
import { expect, it } from "vitest";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { SESSION_GRACE_SECONDS, WILL_GRACE_SECONDS } from "../../../../host/mqtt/asks/presence.ts";
import { until } from "../../../support/until.ts";

it("leaves a will that waits out the longest sleep, and keeps it when it only goes to sleep", async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const clients: Client[] = [];
  aedes.on("client", (client) => clients.push(client));
  const pendingWills = (aedes as unknown as { delayedWills: Map<string, unknown> }).delayedWills;
  const anomalies: string[] = [];
  const edge = createAsker({
    ...{ broker: { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` }, site: "lab", node: "wrist" },
    ...{ longestSleepSeconds: 600, events: { onOutcome: () => {}, onAnomaly: ({ code }) => anomalies.push(code) } },
  });
  await until(() => edge.linkState === "online", "online");
  const willDelay = 600 + WILL_GRACE_SECONDS;
  expect(clients[0]).toMatchObject({
    clean: false,
    sessionExpiryInterval: willDelay + SESSION_GRACE_SECONDS,
    will: { topic: "dormouse/v1/lab/wrist/state", retain: true, qos: 1, properties: { willDelayInterval: willDelay } },
  });

  await edge.sleep(Date.now() + 500_000);
  await until(() => pendingWills.has("wrist"), "the broker holds the will");
  edge.wake();
  await until(() => edge.linkState === "online", "online again");
  expect(pendingWills.has("wrist")).toBe(false);

  await edge.sleep(Date.now() + 7_200_000); // longer than was said: the session waits for it all the same
  expect(anomalies).toEqual(["SLEEP_TOO_LONG"]);
  expect(clients.at(-1)).toMatchObject({ sessionExpiryInterval: 7200 + WILL_GRACE_SECONDS + SESSION_GRACE_SECONDS });
  edge.wake();
  await until(() => edge.linkState === "online", "online once more");
  await edge.close();
  await until(() => aedes.connectedClients === 0, "gone");
  expect(pendingWills.has("wrist")).toBe(false);
  server.close();
  await new Promise<void>((resolve) => aedes.close(resolve));
});
