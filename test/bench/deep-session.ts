import type { Model } from "../../host/core/session/model.ts";
import type { Session } from "../../host/core/session/session-types.ts";
import { randomPatches, seeded } from "../support/random.ts";

/** A session that runs every block at every hop. */
export function deepSession(model: Model, hopPatches = 1): Session {
  const session = model.createSession();
  const { exits } = model.image;
  session.setPoint({
    ...{ maxExit: exits.length - 1, hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
    thresholds: exits.map(() => 32769),
  });
  return session;
}

/** Random patches given to the sessions in turn: a call is one step of one of them. */
export function stepper({ image }: Model, sessions: readonly Session[]): { run(calls: number): void } {
  const { channels, patchFrames, windowPatches } = image;
  const patches = randomPatches(seeded(2), channels * patchFrames, windowPatches);
  let at = 0;
  return {
    run(calls) {
      for (let i = 0; i < calls; i++, at++) sessions[at % sessions.length]!.pushPatch(patches[at % patches.length]!);
    },
  };
}
