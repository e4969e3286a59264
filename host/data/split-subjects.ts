import { DataError } from "../core/system/errors.ts";

const fewest = 5;
/** What the position of a wearer in the sorted list, modulo 5, makes of them. */
const roles = ["fit", "test", "calibrate", "fit", "select"] as const;

/**
 * Wearers in ascending order (numbers as numbers), counted from 0: position mod 5 = 1 tests, 2 calibrates, 4 selects, the rest fit.
 * The same names give the same split, whatever their recordings hold. Throws TOO_FEW_SUBJECTS.
 */
export function splitSubjects(subjects: readonly string[]): Split {
  const sorted = [...new Set(subjects)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }) || (a < b ? -1 : 1));
  if (sorted.length < fewest)
    throw new DataError(
      "TOO_FEW_SUBJECTS",
      `recordings of ${sorted.length} wearers (${sorted.join(", ")}): at least ${fewest} are needed, two to fit and one each to select, calibrate and test. Record more people; only if they all are one person, name days or sessions as subjects, and read the accuracy as that person's.`,
    );
  const of = (role: (typeof roles)[number]): string[] => sorted.filter((_, i) => roles[i % roles.length] === role);
  return { fit: of("fit"), select: of("select"), calibrate: of("calibrate"), test: of("test") };
}

/** Subjects by role; the lists are disjoint. */
export interface Split {
  readonly fit: readonly string[];
  readonly select: readonly string[];
  readonly calibrate: readonly string[];
  readonly test: readonly string[];
}
