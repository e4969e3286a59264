import mqtt, { type MqttClient } from "mqtt";
import { cpuMillis } from "../../../host/cli/common/cpu-millis.ts";
import { median } from "../measure.ts";

/** Bytes of an ask of `activity` and of its answer. */
const ASK_BYTES = 3253;
const ANSWER_BYTES = 120;

export interface BareResult {
  readonly p50Millis: number;
  /** CPU time per request of all clients in this process, without the broker. */
  readonly cpuMillis: number;
}

/**
 * mqtt.js alone, request and response at QoS 1: what an ask costs without outbox, ledger, checks, deadlines and inference. `devices` clients,
 * each with one request pending, and one that answers. The same sizes as an ask and its answer.
 */
export async function runBareMqtt(url: string, devices: number, requests: number): Promise<BareResult> {
  const open = (): Promise<MqttClient> => mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
  const worker = await open();
  const clients = await Promise.all(Array.from({ length: devices }, open));
  try {
    for (const client of [worker, ...clients]) (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    worker.on("message", (topic) => worker.publish(topic.replace("bare/ask", "bare/answer"), Buffer.alloc(ANSWER_BYTES), { qos: 1 }));
    await worker.subscribeAsync("bare/ask/+", { qos: 1 });
    await Promise.all(clients.map((client, i) => client.subscribeAsync(`bare/answer/${i}`, { qos: 1 })));
    const latencies: number[] = [];
    let asked = 0;
    const before = cpuMillis();
    await new Promise<void>((resolve) => {
      const next = (client: MqttClient, i: number): void => {
        if (asked >= requests) return;
        asked++;
        const start = performance.now();
        client.once("message", () => {
          latencies.push(performance.now() - start);
          if (latencies.length >= requests) resolve();
          else next(client, i);
        });
        client.publish(`bare/ask/${i}`, Buffer.alloc(ASK_BYTES), { qos: 1 });
      };
      for (const [i, client] of clients.entries()) next(client, i);
    });
    return { p50Millis: median(latencies), cpuMillis: (cpuMillis() - before) / requests };
  } finally {
    await Promise.all([worker, ...clients].map((client) => client.endAsync()));
  }
}
