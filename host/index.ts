/**
 * The public entry of dormouse-edge: a model, its sessions, and the declaration of an agent. It loads no broker, no MQTT and no zod, so that
 * a process decides soon after its start (`npm run bench:start`). The rest is in dormouse-edge/run, /mqtt, /cloud, /train and /firmware.
 */

export type { AgentDefinition, AgentInput } from "./agent/define-agent.ts";
export { defineAgent } from "./agent/define-agent.ts";
export type { TextAgentDefinition, TextAgentInput } from "./agent/define-text-agent.ts";
export { defineTextAgent } from "./agent/define-text-agent.ts";
export { imageHash, readImage } from "./core/image/image-read.ts";
export type { Manifest, ModelImage } from "./core/image/image-types.ts";
export { writeImage } from "./core/image/image-write.ts";
export type { ModelOptions } from "./core/session/model.ts";
export { Model } from "./core/session/model.ts";
export type { Decision, DecisionWhy, EngineName, PushResult, Session, SetPoint } from "./core/session/session-types.ts";
export type { Attributes, Metric, Observation, Span, SpanOptions, Telemetry } from "./core/session/telemetry.ts";
export { noTelemetry } from "./core/session/telemetry.ts";
export type { Clock } from "./core/system/clock.ts";
export { systemClock } from "./core/system/clock.ts";
export { ConfigError, DataError, DormouseError, LinkError, ModelError, MqttError } from "./core/system/errors.ts";
export type { Intent } from "./core/text/intent-model.ts";
export { IntentModel } from "./core/text/intent-model.ts";
export type { TextManifest } from "./core/text/text-manifest.ts";
