import type { Loop } from "../agent/loop-types.ts";
import type { View, ViewInfo } from "../agent/run-view.ts";
import { createPaceControl, type SteeredPace } from "../agent/sensors/pace-control.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import type { Model } from "../core/session/model.ts";
import type { Clock } from "../core/system/clock.ts";
import { ConfigError } from "../core/system/errors.ts";
import type { ListenAddress } from "../core/system/listen-address.ts";
import type { GovernorStatus } from "../policy/govern/governor-types.ts";
import type { FleetFeed } from "./fleet-feed.ts";
import type { AnswerMessage } from "./messages.ts";
import { createRunFeed, type RunFeed } from "./run-feed.ts";
import { createStreamClients } from "./stream-clients.ts";
import { startWebServer } from "./web-server.ts";

/** The slowest and the fastest that a page may ask for; 0 is unpaced. */
const SPEEDS = [0.1, 1000] as const;
const MAX_QUESTION_CHARACTERS = 300;

/** What only some runs can do; a page draws buttons for what is there. */
export interface DashboardTools {
  /** Takes the demo's broker away and brings it back. */
  readonly broker?: { readonly isUp: boolean; set(isUp: boolean): Promise<void> };
  /** Answers a question about the wearer's day. */
  readonly answer?: (question: string) => Promise<AnswerMessage>;
  /** Nodes of a site, as a table. */
  readonly fleet?: FleetFeed;
}

export interface DashboardRun {
  readonly info: ViewInfo;
  readonly node: string;
  readonly model: Model;
  readonly sensor: Sensor;
  readonly loop: () => Loop | undefined;
  readonly power?: (() => GovernorStatus) | undefined;
}

/** A served page. */
export interface Dashboard {
  readonly url: string;
  /** How fast the run may go: the page steers it. */
  readonly pace: SteeredPace;
  /** Pages that are open. */
  readonly clients: number;
  /** Messages that were left out because a page read too slowly. */
  readonly lostMessages: number;
  /** Shows a run: a view of its steps, and its sensor, watched. A second run takes the first one's place; with a fleet each node has a page of its own, `?node=`. */
  show(run: DashboardRun): { readonly view: View; readonly sensor: Sensor };
  /** Tells the pages why it ends, and ends. */
  close(reason?: string): Promise<void>;
}

/** Opens the page. Throws HTTP_LISTEN_FAILED and PAGE_MISSING. */
export async function openDashboard(options: {
  readonly clock: Clock;
  readonly address: ListenAddress;
  readonly speed: number;
  readonly tools?: DashboardTools;
}): Promise<Dashboard> {
  const { clock, address, tools = {} } = options;
  const pace = createPaceControl(options.speed);
  let feed: RunFeed | undefined; // of the run that was shown last
  const feeds = new Map<string, RunFeed>(); // by node, with a fleet
  const clients = createStreamClients(clock, (node) => {
    const mine = tools.fleet === undefined ? feed : node === undefined ? undefined : feeds.get(node);
    if (mine !== undefined) return [["run", mine.hello()]];
    return tools.fleet === undefined ? [] : [["fleet", tools.fleet.hello()]];
  });
  const isOnTable = (node: string | undefined): boolean => node === undefined || !feeds.has(node);
  tools.fleet?.onFrame((frame) => clients.send("fleet-frame", frame, isOnTable));
  const server = await startWebServer({
    address,
    onStream: (response, query) => clients.add(response, query.get("node") ?? undefined),
    acts: {
      pace(body) {
        steer(pace, body);
        feed?.refresh();
      },
      async broker({ isUp }) {
        if (tools.broker === undefined) throw new ConfigError("NO_SUCH_ACT", "this run's broker cannot be switched.");
        if (typeof isUp !== "boolean") throw new ConfigError("ACT_INVALID", "isUp must be true or false.");
        await tools.broker.set(isUp);
        feed?.refresh();
      },
      question({ text }) {
        if (tools.answer === undefined) throw new ConfigError("NO_SUCH_ACT", "this run has no assistant.");
        if (typeof text !== "string" || text.trim() === "") throw new ConfigError("ACT_INVALID", "write a question.");
        return tools.answer(text.slice(0, MAX_QUESTION_CHARACTERS));
      },
    },
  });
  return {
    url: server.url,
    pace,
    get clients() {
      return clients.size;
    },
    get lostMessages() {
      return clients.lost;
    },
    show({ info, node, model, sensor, loop, power }) {
      const { speed: _, pageUrl: __, ...fixed } = info;
      const isAlone = tools.fleet === undefined;
      const isMine = (of: string | undefined): boolean => isAlone || of === node;
      const shown = createRunFeed({
        ...{ clock, loop, power, pace },
        info: {
          ...fixed,
          node,
          durationSeconds: (sensor.frames ?? 0) / sensor.rateHz,
          controls: {
            canPace: isAlone && sensor.device === undefined,
            canSwitchBroker: tools.broker !== undefined,
            canAsk: tools.answer !== undefined,
          },
        },
        channels: model.image.manifest.channels,
        isBrokerUp: () => tools.broker?.isUp ?? true,
        send: (event, frame) => clients.send(event, frame, isMine),
      });
      feed = shown;
      if (!isAlone) feeds.set(node, shown);
      clients.send("run", shown.hello(), isMine);
      return { view: shown, sensor: shown.tap(sensor) };
    },
    async close(reason = "The run has ended.") {
      tools.fleet?.close();
      clients.close(reason);
      await server.close();
    },
  };
}

/** Obeys a page: { speed } · { isPaused } · { step: true } · { hurryTo: seconds }. Throws ACT_INVALID. */
function steer(pace: SteeredPace, { speed, isPaused, step, hurryTo }: Readonly<Record<string, unknown>>): void {
  if (speed !== undefined) {
    if (typeof speed !== "number" || !(speed === 0 || (speed >= SPEEDS[0] && speed <= SPEEDS[1])))
      throw new ConfigError("ACT_INVALID", `speed must be a number from ${SPEEDS[0]} to ${SPEEDS[1]}, or 0 for unpaced.`);
    pace.setSpeed(speed === 0 ? Number.POSITIVE_INFINITY : speed);
  }
  if (isPaused === true) pace.pause();
  if (isPaused === false) pace.resume();
  if (step === true) pace.step();
  if (hurryTo !== undefined) {
    if (typeof hurryTo !== "number" || !(hurryTo >= 0)) throw new ConfigError("ACT_INVALID", "hurryTo must be a number of seconds.");
    pace.hurryTo(hurryTo);
  }
}
