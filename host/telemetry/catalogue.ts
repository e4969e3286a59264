import type { Metric } from "../core/session/telemetry.ts";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Every metric there is. In Prometheus' notation dots are underscores, and a counter ends in `_total`. */
export const METRICS = {
  asks: { name: "dormouse.asks", kind: "counter", unit: "{ask}", description: "Asks of this node by the state that they ended in" },
  asksPending: { name: "dormouse.asks.pending", kind: "gauge", unit: "{ask}", description: "Asks of this node that have not ended" },
  askSeconds: {
    name: "dormouse.ask.seconds",
    kind: "histogram",
    unit: "s",
    description: "From an ask to its end, by state",
    boundaries: SECONDS,
  },
  ignoredAnswers: {
    name: "dormouse.answers.ignored",
    kind: "counter",
    unit: "{answer}",
    description: "Answers that were ignored, by reason",
  },
  decisions: { name: "dormouse.decisions", kind: "counter", unit: "{decision}", description: "Decisions by exit, counted from 1" },
  frames: { name: "dormouse.frames", kind: "counter", unit: "{frame}", description: "Sensor frames that were read" },
  batteryPercent: { name: "dormouse.battery.percent", kind: "gauge", unit: "%", description: "Charge of the node's battery" },
  skinCelsius: { name: "dormouse.skin.celsius", kind: "gauge", unit: "Cel", description: "Skin temperature below the node" },
  level: { name: "dormouse.degrade.level", kind: "gauge", unit: "{level}", description: "Degradation of the node, 0 = none" },
  node: {
    name: "dormouse.node.info",
    kind: "gauge",
    unit: "",
    description: "1 for a node that runs; its agent, board, label, model and firmware",
  },
  outboxBytes: { name: "dormouse.outbox.bytes", kind: "gauge", unit: "By", description: "Bytes in the outbox" },
  connects: { name: "dormouse.broker.connects", kind: "counter", unit: "{connect}", description: "Connections made to the broker" },
  commands: { name: "dormouse.commands", kind: "counter", unit: "{command}", description: "Operator's commands by what became of them" },
  workerAsks: { name: "dormouse.worker.asks", kind: "counter", unit: "{ask}", description: "Asks at this worker by what became of them" },
  workerQueued: { name: "dormouse.worker.queued", kind: "gauge", unit: "{ask}", description: "Asks that wait at this worker" },
  workerSeconds: {
    name: "dormouse.worker.ask.seconds",
    kind: "histogram",
    unit: "s",
    description: "From an ask's arrival to its reply",
    boundaries: SECONDS,
  },
  providerSeconds: {
    name: "dormouse.provider.seconds",
    kind: "histogram",
    unit: "s",
    description: "One call of the provider",
    boundaries: SECONDS,
  },
  providerBatch: {
    name: "dormouse.provider.batch",
    kind: "histogram",
    unit: "{ask}",
    description: "Asks in one call of the provider",
    boundaries: [1, 2, 4, 8, 16, 32, 64],
  },
  brokerClients: {
    name: "dormouse.broker.clients",
    kind: "gauge",
    unit: "{client}",
    description: "Clients connected to the embedded broker",
  },
} as const satisfies Readonly<Record<string, Metric>>;
