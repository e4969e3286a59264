/** The public entry of dormouse-edge: what agents, gateways and clouds build on. */

export type { CommandActions, CommandInbox, CommandInboxOptions } from "./agent/command-inbox.ts";
export { createCommandInbox } from "./agent/command-inbox.ts";
export type { AgentDefinition, AgentInput } from "./agent/define-agent.ts";
export { defineAgent } from "./agent/define-agent.ts";
export type { LiveBoard } from "./agent/live-governor.ts";
export { liveGovernor } from "./agent/live-governor.ts";
export type { LoadedAgent } from "./agent/loaded-agent.ts";
export { createLoop, loopModel } from "./agent/loop.ts";
export type { DecisionRecord, Loop, LoopCounters, LoopModel, LoopOptions, LoopStep } from "./agent/loop-types.ts";
export type { NodeConfig } from "./agent/node-config.ts";
export { openNodeConfig } from "./agent/node-config.ts";
export { bundledAgents, loadAgent, openAgentModel } from "./agent/registry.ts";
export type { AgentObservers, AgentRun, RunAgentOptions } from "./agent/run-agent.ts";
export { runAgent } from "./agent/run-agent.ts";
export { openSensor } from "./agent/sensors/open-sensor.ts";
export type { PaceOptions } from "./agent/sensors/pace.ts";
export { paced } from "./agent/sensors/pace.ts";
export type { Sensor, SensorFrame } from "./agent/sensors/sensor.ts";
export type { TeacherMember } from "./cloud/ensemble.ts";
export type { CloudAnswer, CloudQuery, Provider } from "./cloud/provider.ts";
export type { TeacherOptions } from "./cloud/teacher.ts";
export { createTeacher } from "./cloud/teacher.ts";
export type { Worker, WorkerOptions } from "./cloud/worker.ts";
export { startWorker } from "./cloud/worker.ts";
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
export { loadHapt } from "./data/hapt.ts";
export type { SyntheticParameters, SyntheticWearer } from "./data/synthetic.ts";
export { createSyntheticWearer } from "./data/synthetic.ts";
export { makeStore } from "./firmware/emulate/device-store.ts";
export { makeLinkStream } from "./firmware/emulate/link-stream.ts";
export { replayDevice } from "./firmware/emulate/replay-device.ts";
export type { DeviceTransport } from "./firmware/emulate/run-device.ts";
export { startDevice } from "./firmware/emulate/run-device.ts";
export type { LinkClient, LinkClientOptions } from "./link/client.ts";
export { createLinkClient } from "./link/client.ts";
export { encodeSetPoint } from "./link/decision.ts";
export type { DeviceMessage, DeviceReader } from "./link/messages.ts";
export { createDeviceReader, readDeviceStream } from "./link/messages.ts";
export type { LinkDecoder, LinkStats } from "./link/stream.ts";
export { createLinkDecoder, createLinkWriter, readLinkStream } from "./link/stream.ts";
export type { AskerOptions } from "./mqtt/asks/asker.ts";
export { createAsker } from "./mqtt/asks/asker.ts";
export type { Command, CommandPayload, CommandVerb } from "./mqtt/commands/command.ts";
export { signCommand } from "./mqtt/commands/command.ts";
export type { CommandReport } from "./mqtt/commands/command-report.ts";
export type { CommandState, CommandStore } from "./mqtt/commands/command-store.ts";
export { memoryCommandStore, openCommandStore } from "./mqtt/commands/command-store.ts";
export type { LedgerComparison, LedgerSink } from "./mqtt/outbox/ledger.ts";
export { compareLedgers } from "./mqtt/outbox/ledger.ts";
export { openLedgerFile } from "./mqtt/outbox/ledger-file.ts";
export { readLedgerFile } from "./mqtt/outbox/ledger-reading.ts";
export type { Outbox, OutboxOptions } from "./mqtt/outbox/outbox.ts";
export { memoryOutbox, openOutbox } from "./mqtt/outbox/outbox.ts";
export { startBroker } from "./mqtt/transport/broker.ts";
export type {
  Answer,
  AskCounts,
  AskEnd,
  Asker,
  AskerEvents,
  AskOutcome,
  AskQuery,
  AskState,
  LinkState,
  TextOutcome,
  TextQuery,
} from "./mqtt/wire/ask.ts";
export type { Exchange, Fact, TextReply } from "./mqtt/wire/text-ask.ts";
export type { Taught } from "./personalize/adapter.ts";
export type { Adaptable } from "./personalize/open-prior.ts";
export { openAdaptable } from "./personalize/open-prior.ts";
export type { Learner, Wearer, WearerStatus } from "./personalize/wearer.ts";
export { createWearer } from "./personalize/wearer.ts";
export { openTaught, saveTaught } from "./personalize/wearer-file.ts";
export { createAgentGovernor } from "./policy/govern/governed.ts";
export type { AgentGovernor, AgentGovernorOptions, GovernorStatus } from "./policy/govern/governor-types.ts";
export type { Board } from "./power/board.ts";
export { loadBoards } from "./power/board.ts";
export type { Identity } from "./security/identity.ts";
export { readIdentity } from "./security/identity.ts";
export type { Provisioned, ProvisionOptions, Role } from "./security/provision.ts";
export { provision } from "./security/provision.ts";
export type { RunningTelemetry, TelemetryOptions } from "./telemetry/telemetry.ts";
export { openTelemetry } from "./telemetry/telemetry.ts";
export { traceAsks, traceWorker } from "./telemetry/traced-connect.ts";
