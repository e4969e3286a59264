/** Why an answer was looked for where it was. */
export type Why =
  | "local" // the device knows this intent, and is sure of it
  | "unsure" // its probability is below the model's threshold
  | "needs-cloud" // it is sure, and has no handler for this intent
  | "asked-for" // the wearer wants the cloud
  | "fall" // nobody asked: an alarm
  | "input"; // there is nothing to classify

/** What became of a question. */
export type AnswerState =
  | "answered"
  | "saved" // offline: it waits in the outbox, and its answer comes later
  | "withheld" // it may not leave the device, or there is no broker
  | "unknown" // whoever was asked has no answer
  | "expired"
  | "refused"
  | "invalid"; // no question

/** An answer, who gave it and why. */
export interface AssistantAnswer {
  /** Text to show; it starts nothing. */
  readonly text: string;
  readonly by: "device" | "cloud" | "template";
  readonly intent: string | null; // null: nothing was classified
  readonly probability: number; // 0…1, of the intent
  readonly why: Why;
  readonly state: AnswerState;
  readonly millis: number; // from the question to this answer
  /** The figure in `text`, as `diary --json` has it. */
  readonly seconds?: number;
  /** What was done to the question before it was read, e.g. that it was cut. */
  readonly notes?: readonly string[];
}

/** What the wearer may share with the cloud besides the question. */
export const SHARES = ["activity", "battery", "time"] as const;
export type Share = (typeof SHARES)[number];

export interface BatteryLevel {
  readonly percent: number; // 0…100
  readonly hoursLeft?: number | undefined;
}

/** What an assistant may do: `defineTextAgent` declares it. */
export interface AssistantPolicy {
  readonly name: string;
  /** Intents that the device answers. */
  readonly local: readonly string[];
  /** Intents that are answered as another one. */
  readonly answeredAs: Readonly<Record<string, string>>;
  readonly asks: {
    /** Whether a question may leave the device. */
    readonly text: boolean;
    readonly share: readonly Share[];
    readonly deadlineSeconds: number;
  };
}
