import { DataError } from "../core/system/errors.ts";

type Role = "fit" | "test" | "calibrate" | "select";

const fewest = 3;
/** What the position of a wearer in the sorted list, modulo 5, makes of them; with fewer wearers nobody selects. */
const rolesOfMany: readonly Role[] = ["fit", "test", "calibrate", "fit", "select"];
const rolesOfFew: readonly Role[] = ["fit", "test", "calibrate", "fit"];

/**
 * Wearers in ascending order (numbers as numbers), counted from 0: position mod 5 = 1 tests, 2 calibrates, 4 selects, the rest fit; with three
 * or four nobody selects. `fold` turns the list: each position tests once in as many folds as there are wearers.
 * The same names give the same split, whatever their recordings hold. Throws TOO_FEW_SUBJECTS.
 */
export function splitSubjects(subjects: readonly string[], fold = 0): Split {
  const sorted = [...new Set(subjects)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }) || (a < b ? -1 : 1));
  if (sorted.length < fewest)
    throw new DataError(
      "TOO_FEW_SUBJECTS",
      `recordings of ${sorted.length} wearers (${sorted.join(", ")}): at least ${fewest} are needed, one each to fit, calibrate and test. Record more people; or keep recordings apart instead (--split recordings), or stretches of time (--split time): the accuracy is then these people's, and not that of others.`,
    );
  const roles = sorted.length < rolesOfMany.length ? rolesOfFew : rolesOfMany;
  const of = (role: Role): string[] => sorted.filter((_, i) => roles[((i + fold) % sorted.length) % roles.length] === role);
  return { fit: of("fit"), select: of("select"), calibrate: of("calibrate"), test: of("test") };
}

/** Subjects by role; the lists are disjoint. */
export interface Split {
  readonly fit: readonly string[];
  readonly select: readonly string[];
  readonly calibrate: readonly string[];
  readonly test: readonly string[];
}
