import type { Model } from "../core/session/model.ts";
import type { SetPoint } from "../core/session/session-types.ts";
import type { Clock } from "../core/system/clock.ts";
import type { DormouseError } from "../core/system/errors.ts";
import { untilAborted } from "../core/system/until-aborted.ts";
import type { Diary } from "../diary/diary.ts";
import { type AskerOptions, createAsker } from "../mqtt/asks/asker.ts";
import type { Asker, AskerEvents } from "../mqtt/asks/asker-types.ts";
import { createCommandRefuser } from "../mqtt/commands/refuse-commands.ts";
import { type Connect, createConnection } from "../mqtt/transport/connection.ts";
import type { AskOutcome, LinkState, TextOutcome } from "../mqtt/wire/ask.ts";
import type { PersonalizedSession } from "../personalize/personalized-session.ts";
import type { LoopGovernor } from "../policy/govern/governor-types.ts";
import type { CommandInbox } from "./command-inbox.ts";
import type { AgentDefinition } from "./define-agent.ts";
import { createDiaryFeed } from "./diary-feed.ts";
import { createLoop } from "./loop.ts";
import { loopAgent, loopModel } from "./loop-inputs.ts";
import type { Loop, LoopStep } from "./loop-types.ts";
import { type NodeCommandOptions, nodeCommands } from "./node-commands.ts";
import { type PaceOptions, paced } from "./sensors/pace.ts";
import type { Sensor, SensorFrame } from "./sensors/sensor.ts";
import { createSuspicionRule } from "./suspicion-rule.ts";

/** An unpaced replay waits for answers while more asks than this are pending; with suspicions, whose deadlines are sensor time, for each. */
const UNPACED_PENDING = 64;
/** Added to the deadline when a run waits for its last answers: their way back. */
const DRAIN_GRACE_MILLIS = 2000;
/** How long an aborted run waits for answers if its outbox is not durable. */
const ABORTED_DRAIN_MILLIS = 2000;

/** What views, logs and telemetry may see of a run; they lie above it. */
export interface AgentObservers {
  /** Gets every step of the loop, in order; the first may come before `runAgent` has returned. */
  step?(step: LoopStep): void;
  /** Gets the composed loop, and its operator's inbox if it has one; the returned function is called when the frames have ended. */
  loop?(loop: Loop, inbox: CommandInbox | undefined): () => void;
  /** Wraps the transport, e.g. to trace what it carries. */
  connect?(connect: Connect): Connect;
  /** Gets every ask that has ended, audits included. */
  ask?(outcome: AskOutcome | TextOutcome): void;
  /** The frames have ended and answers are due. */
  draining?(): void;
}

/** What `runAgent` composes. Clock, transport (`asker.connect`) and randomness (`asker.random`) are injected. */
export interface RunAgentOptions {
  /** What the agent declares of its events, its alarm, its asks and their privacy: all of it is obeyed. */
  readonly definition: AgentDefinition;
  readonly model: Model;
  readonly sensor: Sensor;
  readonly clock: Clock;
  /** Paces a recording or a synthetic sensor by the clock. Left out: frames are taken as fast as they come. A device keeps its own pace. */
  readonly pace?: Pick<PaceOptions, "speed" | "seconds" | "control">;
  /** The broker, and who asks. Left out: the agent decides locally and never asks. */
  readonly asker?: Omit<AskerOptions, "events" | "clock" | "onCommand">;
  /** How long an answer may take. Default: the definition's. */
  readonly deadlineSeconds?: number;
  /** Parts of the set-point that hold unless an operator orders others. */
  readonly setPoint?: Partial<SetPoint>;
  /** Energy, heat, privacy per day and the worth of asks: `liveGovernor` makes one for a board. Left out: nothing is governed. */
  readonly governor?: LoopGovernor;
  /** Runs instead of a session of the model, and learns from the answers. */
  readonly personalized?: PersonalizedSession;
  /** Who may command the node. Left out: every command is refused, with the reason. */
  readonly commands?: NodeCommandOptions;
  /**
   * Where the agent notes what the wearer does, if its definition wants a diary. At the pace of real time it notes wall times; faster,
   * device time from now on. The caller closes it.
   */
  readonly diary?: Diary;
  readonly observers?: AgentObservers;
  /** Device seconds between two telemetry messages. Default 60. */
  readonly telemetrySeconds?: number;
  /** Wait for due answers when the frames have ended, at most so long. Default: the deadline and 2 s; 0: do not wait. */
  readonly drainMillis?: number;
  /** Ends the run early. A durable outbox keeps the pending asks for the next start. */
  readonly signal?: AbortSignal;
}

/** An agent that runs. */
export interface AgentRun {
  readonly loop: Loop;
  readonly inbox: CommandInbox | undefined;
  /** Settles when the frames have ended and due answers have come, or the signal has aborted. */
  readonly ended: Promise<void>;
  /** Closes the asker. The loop's counters stay readable. */
  close(): Promise<void>;
}

/**
 * Runs an agent: sensor, session, loop, governor, asker, commands, telemetry and personalisation, put together in one way. The command
 * line, the gateway, the simulated day and `eval` all run agents by it, so that what is simulated and measured is what ships. Frames are
 * taken from the call on. Throws what the asker throws for a broker that it cannot reach by any means.
 *
 *     const agent = await loadAgent("activity");
 *     const model = await openAgentModel(agent);
 *     const sensor = openSensor("synthetic:1", agent, process.cwd());
 *     const run = runAgent({ definition: agent.definition, model, sensor, clock: systemClock, pace: { speed: 1, seconds: 60 } });
 *     await run.ended;
 *     console.log(run.loop.counters());
 *     await run.close();
 */
export function runAgent(options: RunAgentOptions): AgentRun {
  const { definition, model, clock, pace, personalized, governor, observers = {}, signal } = options;
  const deadlineSeconds = options.deadlineSeconds ?? definition.asks.deadlineSeconds;
  const session = personalized ?? model.createSession();
  const failure = createFailure();
  const ending = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  let asker: Asker | undefined;
  let inbox: CommandInbox | undefined;
  try {
    const loop = createLoop({
      ...loopAgent(definition),
      ...suspicionOf(options),
      deadlineSeconds,
      model: loopModel(model),
      session,
      frames: framesOf(options, ending),
      ...(options.asker === undefined
        ? {}
        : {
            connect: (events) => {
              asker = openAsker(options, events, () => inbox, failure.guard);
              return asker;
            },
          }),
      onStep: stepObserver(options),
      ...(options.asker?.presence && { about: options.asker.presence }),
      ...(options.setPoint === undefined ? {} : { setPoint: options.setPoint }),
      ...(governor === undefined ? {} : { governor }),
      ...(personalized === undefined ? {} : { learner: personalized }),
      ...(pace?.speed === Number.POSITIVE_INFINITY ? { maxPending: definition.suspicion ? 0 : UNPACED_PENDING } : {}),
      ...(options.telemetrySeconds === undefined ? {} : { telemetrySeconds: options.telemetrySeconds }),
      signal: ending,
    });
    if (options.asker !== undefined && options.commands !== undefined) {
      const { site, node } = options.asker;
      const { image } = model;
      inbox = nodeCommands(clock, { site, node, agent: definition.name }, { loop, session, image }, options.commands);
    }
    const unwatch = observers.loop?.(loop, inbox);
    const drain = () => drained(options, loop, options.drainMillis ?? longestSeconds(options) * 1000 + DRAIN_GRACE_MILLIS);
    const ran = loop
      .run()
      .finally(() => unwatch?.())
      .then(drain)
      .then(() => loop.finish());
    const ended = Promise.race([ran, failure.promise]);
    return { loop, inbox, ended, close: async () => asker?.close() };
  } catch (error) {
    void asker?.close();
    throw error;
  }
}

/** The suspicion's rule, with the deadline of this run. */
function suspicionOf({ definition, model, deadlineSeconds }: RunAgentOptions) {
  const { suspicion } = definition;
  const declared = suspicion && { ...suspicion, ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }) };
  const rule = createSuspicionRule({ ...definition, suspicion: declared }, loopModel(model));
  return rule && { suspicion: rule };
}

/** The longest that an answer of this run may take. */
function longestSeconds({ definition, deadlineSeconds }: RunAgentOptions): number {
  return deadlineSeconds ?? Math.max(definition.asks.deadlineSeconds, definition.suspicion?.deadlineSeconds ?? 0);
}

/** What fails outside of the loop's own steps, in a callback of the asker: it ends the run, too. */
function createFailure() {
  const stop = new AbortController();
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_, reject) => {
    fail = reject;
  });
  promise.catch(() => {}); // reported to whoever awaits the run's end
  return {
    promise,
    signal: stop.signal,
    /** The callback; what it throws fails the run. */
    guard:
      <T extends readonly unknown[]>(callback: (...args: T) => void) =>
      (...args: T): void => {
        try {
          callback(...args);
        } catch (error) {
          fail(error);
          stop.abort();
        }
      },
  };
}

/** Passes steps to the diary and to who watches. */
function stepObserver({ definition, diary, clock, pace, observers = {} }: RunAgentOptions): (step: LoopStep) => void {
  const { alarm, sensor } = definition;
  const startMillis = pace === undefined || pace.speed === 1 ? undefined : clock.wall();
  const note =
    diary === undefined || !definition.diary ? undefined : createDiaryFeed({ diary, rateHz: sensor.rateHz, alarm, startMillis, clock });
  return (step) => {
    note?.(step);
    observers.step?.(step);
  };
}

type Guard = ReturnType<typeof createFailure>["guard"];

function framesOf({ sensor, model, clock, pace }: RunAgentOptions, signal: AbortSignal): LoopFrames {
  if (pace === undefined) return sensor;
  const hopFrames = model.image.hopPatches * model.image.patchFrames;
  if (sensor.device === undefined) return paced(sensor, { clock, hopFrames, ...pace, signal });
  return pace.seconds === undefined ? sensor : limited(sensor, pace.seconds);
}

/** A device's frames of so many seconds. */
async function* limited(sensor: Sensor, seconds: number): AsyncGenerator<SensorFrame> {
  let left = Math.round(seconds * sensor.rateHz);
  if (left > 0)
    for await (const frame of sensor) {
      yield frame;
      if (--left <= 0) return;
    }
}

type LoopFrames = Parameters<typeof createLoop>[0]["frames"];

/** The asker, observed, with its operator's commands. */
function openAsker(options: RunAgentOptions, events: AskerEvents, inbox: () => CommandInbox | undefined, guard: Guard): Asker {
  const { clock, commands, observers = {} } = options;
  const refuse = createCommandRefuser({ clock, tell: (report) => asker.telemetry({ command: report }) });
  const connect = options.asker!.connect ?? createConnection;
  const asker = createAsker({
    ...options.asker!,
    clock,
    connect: observers.connect?.(connect) ?? connect,
    onCommand: (message) => (commands === undefined ? refuse(message) : inbox()?.receive(message)),
    events: {
      onLinkState: guard((state: LinkState, detail?: string, retryMillis?: number) => events.onLinkState?.(state, detail, retryMillis)),
      onAnomaly: guard((error: DormouseError) => events.onAnomaly?.(error)),
      onOutcome: guard((outcome: AskOutcome) => {
        observers.ask?.(outcome);
        events.onOutcome(outcome);
      }),
      onTextOutcome: guard((outcome: TextOutcome) => {
        observers.ask?.(outcome);
        events.onTextOutcome?.(outcome);
      }),
    },
  });
  return asker;
}

/** Waits for the answers that are due. An aborted run leaves them to its outbox if that is durable. */
async function drained({ asker, signal, observers }: RunAgentOptions, loop: Loop, millis: number): Promise<void> {
  const isDurable = asker?.outbox?.isDurable ?? false;
  const isAborted = () => signal?.aborted ?? false;
  if (loop.asker === undefined || millis === 0 || loop.counters().pending === 0 || (isAborted() && isDurable)) return;
  observers?.draining?.();
  const answered = loop.asker.drain(millis);
  await (signal === undefined ? answered : Promise.race([answered, untilAborted(signal)]));
  if (isAborted() && !isDurable) await loop.asker.drain(ABORTED_DRAIN_MILLIS);
}
