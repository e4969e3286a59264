import mqtt, { type MqttClient } from "mqtt";
import { median } from "../measure.ts";

/** Bytes of an ask of `activity` and of its answer. */
const ASK_BYTES = 3253;
const ANSWER_BYTES = 120;

/** mqtt.js alone, request and response at QoS 1: what an ask costs without outbox, checks, deadlines and inference. */
export interface BareFleet {
  /** Each client keeps one request pending until `requests` have been answered. Returns within how many milliseconds half of them were. */
  run(requests: number): Promise<number>;
  close(): Promise<void>;
}

/** `devices` clients, and one that answers, in this process. Messages have the sizes of an ask and its answer. */
export async function openBareFleet(url: string, devices: number): Promise<BareFleet> {
  const open = (): Promise<MqttClient> => mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
  const worker = await open();
  const clients = await Promise.all(Array.from({ length: devices }, open));
  for (const client of [worker, ...clients]) (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  worker.on("message", (topic) => worker.publish(topic.replace("bare/ask", "bare/answer"), Buffer.alloc(ANSWER_BYTES), { qos: 1 }));
  await worker.subscribeAsync("bare/ask/+", { qos: 1 });
  await Promise.all(clients.map((client, i) => client.subscribeAsync(`bare/answer/${i}`, { qos: 1 })));
  return {
    run(requests) {
      const latencies: number[] = [];
      let asked = 0;
      return new Promise((resolve) => {
        const next = (client: MqttClient, i: number): void => {
          if (asked >= requests) return;
          asked++;
          const start = performance.now();
          client.once("message", () => {
            latencies.push(performance.now() - start);
            if (latencies.length >= requests) resolve(median(latencies));
            else setImmediate(next, client, i); // not in one segment with the acknowledgement of the answer before
          });
          client.publish(`bare/ask/${i}`, Buffer.alloc(ASK_BYTES), { qos: 1 });
        };
        for (const [i, client] of clients.entries()) next(client, i);
      });
    },
    async close() {
      await Promise.all([worker, ...clients].map((client) => client.endAsync()));
    },
  };
}
