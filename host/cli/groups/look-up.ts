import { registerAgents } from "../verbs/agents.ts";
import { registerBoards } from "../verbs/boards.ts";
import { registerDoctor } from "../verbs/doctor.ts";
import { registerInspect } from "../verbs/inspect.ts";

/** The verbs below "Look up", in the help's order. */
export const registers = [registerInspect, registerDoctor, registerBoards, registerAgents];
