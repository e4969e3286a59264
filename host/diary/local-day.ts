/** A calendar day where the device is. */
export interface LocalDay {
  /** e.g. `2026-11-30`. */
  readonly name: string;
  /** Wall milliseconds of its first moment, and of the next day's: 23, 24 or 25 hours later. */
  readonly startMillis: number;
  readonly endMillis: number;
}

/** The day that a wall time falls into, by the system's time zone. */
export function localDay(wallMillis: number): LocalDay {
  const date = new Date(wallMillis);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  const name = [String(year).padStart(4, "0"), ...[month + 1, day].map((part) => String(part).padStart(2, "0"))].join("-");
  return { name, startMillis: new Date(year, month, day).getTime(), endMillis: new Date(year, month, day + 1).getTime() };
}

/** Hours and minutes of a wall time, e.g. `14:05`. */
export function clockTime(wallMillis: number): string {
  const date = new Date(wallMillis);
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
}
