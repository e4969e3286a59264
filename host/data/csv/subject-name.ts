import { DataError } from "../../core/system/errors.ts";

/** s03_walk, subject3-run, user_12, P7: a word for a person, maybe - or _, a number, then the end or anything but a letter or digit. */
const pattern = /^(?:s|sub|subj|subject|user|u|p|participant|person|wearer)[-_]?0*(\d+)(?![\p{L}\d])/iu;

/** Who wore a recording, by its file's name: the number without leading zeros. Throws CSV_SUBJECT. */
export function subjectOfName(name: string, path: string): string {
  const found = pattern.exec(name)?.[1];
  if (found !== undefined) return found;
  throw new DataError(
    "CSV_SUBJECT",
    `${path}: nothing says who wore it. Add a subject column, or begin the file's name with s, subject, user, participant, person or wearer and a number: s03_walk.csv, subject3-walk.csv.`,
  );
}
