import type { ModelImage } from "../../core/image/image-types.ts";
import type { Decision, SetPoint } from "../../core/session/session-types.ts";
import type { LinkState } from "../../mqtt/wire/ask.ts";
import type { DegradeLevel } from "../../power/degrade.ts";
import type { PoweredDevice } from "../../power/device.ts";
import type { AskInputOptions } from "./ask-inputs.ts";
import type { DriftMonitor } from "./drift-monitor.ts";
import type { CostTable, Prices } from "./expected-cost.ts";
import type { PrivacyBudget } from "./privacy-budget.ts";

/** What an agent governor is made of. */
export interface AgentGovernorOptions {
  readonly image: ModelImage;
  readonly device: PoweredDevice;
  readonly rateHz: number;
  readonly table: CostTable;
  readonly prices: Prices;
  readonly drift: DriftMonitor;
  readonly privacy: PrivacyBudget;
  /** The agent's own pace and patience, and the forms of its asks. */
  readonly asks: { readonly intervalHops: number; readonly deadlineSeconds: number; readonly holdSeconds: number } & AskInputOptions;
  /** Decisions may always go to this exit, unless the board degrades. Default: any exit may be the last. */
  readonly leastExit?: number | undefined;
  /** Seconds between two reports: what is not urgent waits for them, or for another wake-up of the radio. */
  readonly reportSeconds: number;
  /** Expected seconds from asking to the answer, the radio's wake-up left out. */
  readonly roundTripSeconds: () => number;
  /** A report's time has come, and it was paid for: bring the radio up and send what waits. */
  readonly onReport?: () => void;
  /** True in a live run: packets are real but the radio is modelled, so the governor must tell the model what it carries. */
  readonly carries: boolean;
  /** The battery shall last so long from the start; undefined: the budget's rate stays as it is. */
  readonly targetSeconds?: number;
}

/** What people see of a governor. */
export interface GovernorStatus {
  readonly stateOfCharge: number | undefined; // 0…1
  readonly batteryVolts: number | undefined;
  readonly skinCelsius: number | undefined;
  readonly limitCelsius: number | undefined;
  /** Skin temperature in HEAT_HORIZON_SECONDS at the power drawn of late. */
  readonly forecastCelsius: number | undefined;
  readonly budgetFill: number; // 0…1
  readonly budgetJoules: number;
  readonly budgetWatts: number; // that come in
  readonly watts: number; // drawn of late
  /** Joules since the start, by part. */
  readonly joules: ReturnType<PoweredDevice["joules"]>;
  readonly level: DegradeLevel;
  readonly duty: number;
  readonly driftStep: number;
}

export interface AgentGovernor extends LoopGovernor {
  status(): GovernorStatus;
  /** What the last decision took to compute, catch-up included. */
  readonly decisionSeconds: number;
  /** Changes of the degrade level so far. */
  readonly levelChanges: number;
  /** Frames that the model did not get. */
  readonly restedFrames: number;
  /** Audits that were asked for. */
  readonly audits: number;
  /** Asks may send no whole context more this day: what is left is for audits. */
  readonly isAllowanceSpent: boolean;
}

/** Decides, between two decisions, what the next may cost. Called in order: admits … onDecision, (isAudit), setPoint, … */
export interface LoopGovernor {
  /** The one budget of what leaves the device: the loop spends it. */
  readonly privacy: PrivacyBudget;
  /** Device time, by which `privacy` is spent. */
  readonly seconds: number;
  /** Whether the model gets this frame. A rest longer than the model's gap limit resets its state, as any loss of frames does. */
  admits(tick: number): boolean;
  /** The model's state began anew. */
  onReset(): void;
  onDecision(decision: Decision): void;
  /** Whether a decision, sure or not, is put to the cloud to see whether the guarantee still holds. */
  isAudit(decision: Decision): boolean;
  /** Patches that an ask may carry, at most; 0 = it may not go out. */
  askPatches(): number;
  /** An ask has gone into the outbox. */
  onAsk(sensorBytes: number): void;
  /** An ask has ended. `disagreement`: how little the cloud believed in `label`, the device's, 0…1; undefined: there was no answer. */
  onOutcome(end: { readonly isAudit: boolean; readonly label: number; readonly disagreement: number | undefined }): void;
  /** What the core may do next. `canAsk`: an ask would not repeat one that is under way or answered. */
  setPoint(state: { readonly canAsk: boolean; readonly link: LinkState | undefined }): Partial<SetPoint>;
  /** Why the set-point in force is as it is, as a clause; undefined: nothing is held back. */
  readonly reason: string | undefined;
  /** What people see of it. Left out: nothing is known of battery and skin. */
  status?(): GovernorStatus;
}
