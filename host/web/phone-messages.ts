/** One sample of a phone: its own time in ms, then ax ay az in g and gx gy gz in degrees per second. */
export type PhoneSample = readonly [millis: number, ax: number, ay: number, az: number, gx: number, gy: number, gz: number];

/** What the phone's page shows, in answer to each message. */
export interface PhoneState {
  readonly agent: string;
  readonly phase: string;
  readonly label: string | null;
  readonly labels: readonly string[];
  /** What is wrong with the samples; "": nothing. */
  readonly trouble: string;
}
