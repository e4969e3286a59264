import type { Model } from "../core/session/model.ts";
import { ConfigError } from "../core/system/errors.ts";
import { openAdaptation, saveAdaptation } from "./adaptation-file.ts";
import { emptyAdaptation } from "./adapter.ts";
import { createPersonalizedSession, type PersonalizedSession } from "./personalized-session.ts";
import { openAdaptable } from "./prior.ts";

export interface PersonalizedFile {
  /** The agent's name, for errors. */
  readonly agent: string;
  readonly model: Model;
  readonly priorPath: string | undefined;
  /** The file that keeps the adaptation; made if it does not exist. */
  readonly path: string;
  readonly note: (line: string) => void;
}

/** Throws PERSONALIZE_ALONE or PERSONALIZE_WITH_BOARD if a run cannot be personalized. */
export function checkPersonalized({ hasBroker, hasBoard }: { readonly hasBroker: boolean; readonly hasBoard: boolean }): void {
  if (hasBoard)
    throw new ConfigError(
      "PERSONALIZE_WITH_BOARD",
      "personalize runs two sessions, and board knows the energy of one: leave one of them out.",
    );
  if (!hasBroker)
    throw new ConfigError("PERSONALIZE_ALONE", "personalize learns from cloud answers: name a broker, or leave personalize out.");
}

/** Opens a personalized session whose adaptation is kept in a file. Throws ADAPT_NO_PRIOR, and what openAdaptation and saveAdaptation throw. */
export function openPersonalized({ agent, model, priorPath, path, note }: PersonalizedFile): PersonalizedSession {
  const adaptable = openAdaptable(agent, model.image, priorPath);
  const { lda } = adaptable.image;
  const from = openAdaptation(path, lda);
  if (from === undefined) saveAdaptation(path, emptyAdaptation(lda), lda); // an unwritable path fails now
  return createPersonalizedSession(model, adaptable, {
    from,
    onLearned(adaptation) {
      try {
        saveAdaptation(path, adaptation, lda);
      } catch (error) {
        note(`The adaptation is not saved: ${(error as Error).message}`); // the run goes on with it
      }
    },
  });
}
