/** One trial of SisFall before its units are changed. */
export interface RawTrial {
  readonly name: TrialName;
  readonly counts: Int16Array; // (n, 6): ADXL345 x y z, ITG3200 x y z, 50 Hz
}

export interface TrialName {
  readonly activity: string; // D01…D19 daily, F01…F15 falls
  readonly subject: string; // SA01… young, SE01… elderly
  readonly repetition: string; // "01"
}

/** Columns of a raw frame. */
export const RAW_COLUMNS = 6;

/** Reads "D01_SA01_R01"; undefined where it is no trial's name. */
export function parseTrialName(text: string): TrialName | undefined {
  const [, activity, subject, repetition] = /^([DF]\d\d)_(S[AE]\d\d)_R(\d\d)$/.exec(text) ?? [];
  return activity && subject && repetition ? { activity, subject, repetition } : undefined;
}

export function trialNameText({ activity, subject, repetition }: TrialName): string {
  return `${activity}_${subject}_R${repetition}`;
}
