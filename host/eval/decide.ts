import { openTeacherModels, teacherOf } from "../cloud/open-teacher.ts";
import type { SubjectList } from "../core/image/image-types.ts";
import type { Model } from "../core/session/model.ts";
import type { CascadeDecision } from "../policy/certify/cascade.ts";
import type { GradedDecisions } from "../policy/certify/exit-decisions.ts";
import { askAll } from "./ask-cloud.ts";
import { type EvalSetting, progress, recordingsFor, requireScored, type WearerRoles } from "./eval-setting.ts";
import { type StreamDecision, streamDecisions } from "./stream-decisions.ts";

/** Fewer decisions than this certify no threshold. */
export const MIN_ANSWERED = 300;

/** Decisions of some wearers: what the device makes of them, and with the cloud's answer to each. In the same order. */
export interface DecidedGroup {
  readonly edge: readonly StreamDecision[];
  readonly all: readonly CascadeDecision[];
}

/** The groups of an evaluation that asks. */
export interface Decided {
  readonly scored: DecidedGroup;
  readonly tuning: readonly DecidedGroup[]; // as in the roles
  readonly certifying: DecidedGroup;
  readonly members: readonly Model[];
}

/** Streams the wearers of every role and puts each window to the cloud. */
export async function decideAll(setting: EvalSetting, roles: WearerRoles): Promise<Decided> {
  const { out, agent, model } = setting;
  const members = await openTeacherModels(agent, model.engine);
  const provider = teacherOf(agent, members);
  const decide = async (users: SubjectList): Promise<DecidedGroup> => {
    const recordings = recordingsFor(setting, users);
    out.note(`Streaming wearers ${users.join(" ")} …`);
    const edge = streamDecisions(model, recordings, progress(out));
    requireScored(edge.length, users);
    out.note("Asking the cloud about each window …");
    return { edge, all: await askAll(provider, model, members, agent.definition.name, edge, progress(out, "answers")) };
  };
  const scored = await decide(roles.score);
  const tuning: DecidedGroup[] = [];
  for (const users of roles.tune) tuning.push(await decide(users));
  return { scored, tuning, certifying: tuning[roles.tune.indexOf(roles.certify)]!, members };
}

/** Decisions as certification reads them, at the gate probabilities that the core had. */
export function exitDecisionsOf(decisions: readonly CascadeDecision[]): GradedDecisions {
  const exits = (decisions[0]?.exits ?? []).map((_, k) => k);
  return {
    right: exits.map((k) => Uint8Array.from(decisions, (one) => (one.exits[k]!.label === one.truth ? 1 : 0))),
    gateProbabilityQ15: exits.map((k) => Float64Array.from(decisions, (one) => one.exits[k]!.gateProbabilityQ15)),
  };
}
