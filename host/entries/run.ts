/** dormouse-edge/run: agents with their sensors, power governor, personalisation and telemetry. */

export type { CommandActions, CommandInbox, CommandInboxOptions } from "../agent/command-inbox.ts";
export { createCommandInbox } from "../agent/command-inbox.ts";
export type { LiveBoard } from "../agent/live-governor.ts";
export { liveGovernor } from "../agent/live-governor.ts";
export type { LoadedAgent } from "../agent/loaded-agent.ts";
export { createLoop } from "../agent/loop.ts";
export { loopModel } from "../agent/loop-inputs.ts";
export type { DecisionRecord, Loop, LoopCounters, LoopModel, LoopOptions, LoopStep } from "../agent/loop-types.ts";
export type { NodeConfig } from "../agent/node-config.ts";
export { openNodeConfig } from "../agent/node-config.ts";
export type { LoadedTextAgent } from "../agent/registry.ts";
export { bundledAgents, loadAgent, loadTextAgent, openAgentModel } from "../agent/registry.ts";
export type { AgentObservers, AgentRun, RunAgentOptions } from "../agent/run-agent.ts";
export { runAgent } from "../agent/run-agent.ts";
export { openSensor } from "../agent/sensors/open-sensor.ts";
export type { PaceOptions } from "../agent/sensors/pace.ts";
export { paced } from "../agent/sensors/pace.ts";
export type { Sensor, SensorFrame } from "../agent/sensors/sensor.ts";
export { loadHapt } from "../data/hapt.ts";
export type { SyntheticParameters, SyntheticWearer } from "../data/synthetic.ts";
export { createSyntheticWearer } from "../data/synthetic.ts";
export { openAdaptation, saveAdaptation } from "../personalize/adaptation-file.ts";
export type { Adaptation } from "../personalize/adapter.ts";
export type {
  AnswerLearner,
  PersonalizationStatus,
  PersonalizedSession,
  PersonalizeOptions,
} from "../personalize/personalized-session.ts";
export { createPersonalizedSession } from "../personalize/personalized-session.ts";
export type { Adaptable } from "../personalize/prior.ts";
export { openAdaptable } from "../personalize/prior.ts";
export { createAgentGovernor } from "../policy/govern/governed.ts";
export type { AgentGovernor, AgentGovernorOptions, GovernorStatus } from "../policy/govern/governor-types.ts";
export type { Board } from "../power/board.ts";
export { loadBoards } from "../power/board.ts";
export type { RunningTelemetry, TelemetryOptions } from "../telemetry/telemetry.ts";
export { openTelemetry } from "../telemetry/telemetry.ts";
