/** The public entry of dormouse-edge: what agents, gateways and clouds build on. */

export type { AgentDefinition, AgentInput } from "./agent/define-agent.ts";
export { defineAgent } from "./agent/define-agent.ts";
