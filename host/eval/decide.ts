import { openTeacherModels, teacherOf } from "../cloud/open-teacher.ts";
import type { SubjectList } from "../core/image/image-types.ts";
import type { Model } from "../core/session/model.ts";
import type { CascadeDecision } from "../policy/certify/cascade.ts";
import type { GradedDecisions } from "../policy/certify/exit-decisions.ts";
import { askAll } from "./ask-cloud.ts";
import { type EvalSetting, recordingsFor, requireScored, type WearerRoles } from "./eval-setting.ts";
import { streamDecisions } from "./stream-decisions.ts";

/** Fewer decisions than this certify no threshold. */
export const MIN_ANSWERED = 300;

/** Decisions of each role's wearers, with the cloud's answer to each. */
export interface Decided {
  readonly scored: readonly CascadeDecision[];
  readonly tuning: readonly (readonly CascadeDecision[])[]; // as in the roles
  readonly certifying: readonly CascadeDecision[];
  readonly members: readonly Model[];
}

/** Streams the wearers of every role and puts each window to the cloud. */
export async function decideAll(setting: EvalSetting, roles: WearerRoles): Promise<Decided> {
  const { out, agent, model } = setting;
  const members = await openTeacherModels(agent, model.engine);
  const provider = teacherOf(agent, members);
  const decide = async (users: SubjectList): Promise<CascadeDecision[]> => {
    const recordings = recordingsFor(setting, users);
    out.note(`Streaming wearers ${users.join(" ")} …`);
    const streamed = out.progress("windows");
    const edge = streamDecisions(model, recordings, streamed.at);
    streamed.end();
    requireScored(edge.length, users);
    out.note("Asking the cloud about each window …");
    const answered = out.progress("answers");
    const asked = await askAll(provider, model, members, agent.definition.name, edge, answered.at);
    answered.end();
    return asked;
  };
  const scored = await decide(roles.score);
  const tuning: CascadeDecision[][] = [];
  for (const users of roles.tune) tuning.push(await decide(users));
  return { scored, tuning, certifying: tuning[roles.tune.indexOf(roles.certify)]!, members };
}

/** Decisions as certification reads them, at the gate probabilities that the core had. */
export function gradeExitDecisions(decisions: readonly CascadeDecision[]): GradedDecisions {
  const exits = (decisions[0]?.exits ?? []).map((_, k) => k);
  return {
    right: exits.map((k) => Uint8Array.from(decisions, (one) => (one.exits[k]!.label === one.truth ? 1 : 0))),
    gateProbabilityQ15: exits.map((k) => Float64Array.from(decisions, (one) => one.exits[k]!.gateProbabilityQ15)),
  };
}
