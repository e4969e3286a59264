import { join } from "node:path";
import { createCommandInbox } from "../agent/command-inbox.ts";
import { type NodeCommandOptions, openNodeCommands } from "../agent/node-commands.ts";
import type { SetPoint } from "../core/session/session-types.ts";
import { untilAborted } from "../core/system/until-aborted.ts";
import type { Ack } from "../link/ack.ts";
import { createLinkClient } from "../link/client.ts";
import type { LinkResult } from "../link/frame.ts";
import type { DeviceHello } from "../link/hello.ts";
import type { DeviceMessage } from "../link/messages.ts";
import { type AskerOptions, createAsker } from "../mqtt/asks/asker.ts";
import type { Asker } from "../mqtt/asks/asker-types.ts";
import type { Presence } from "../mqtt/asks/presence.ts";
import { createCommandRefuser } from "../mqtt/commands/refuse-commands.ts";
import type { AskOutcome } from "../mqtt/wire/ask.ts";
import { watchPresence } from "../telemetry/watch.ts";
import { withAttributes } from "../telemetry/with-attributes.ts";
import type { ShelvedAgent } from "./agent-shelf.ts";
import type { Gateway, Served } from "./gateway-types.ts";
import { MirroredLabel } from "./mirrored-label.ts";
import { nodeAsker } from "./node-asker.ts";

/** Messages of a device that are passed on per second; more of them say nothing new. */
const MAX_PER_SECOND = 50;
/** Asks of a device that wait for an answer: it keeps fewer itself. */
const MAX_ASKS = 64;

/** The agent of a device that the node speaks for: the first that runs. */
const AGENT = 0;

/** A device that decides itself, as a node: what it says goes to MQTT, what it is told goes down the link. */
export interface MirrorNode {
  /** Bytes of the link, cut anywhere. */
  push(bytes: Uint8Array): void;
  lost(): void;
  /** Settles when the signal aborts and the node has left; rejects if the device cannot be greeted. */
  readonly ended: Promise<void>;
}

export function runMirrorNode(
  gateway: Gateway,
  served: Served,
  link: { readonly name: string; readonly write: (bytes: Uint8Array) => void },
): MirrorNode {
  const { clock } = gateway;
  const { say, node, signal } = served;
  let asker: Asker | undefined;
  let known: ShelvedAgent | undefined;
  let hello: DeviceHello | undefined;
  let label: MirroredLabel | undefined;
  let presence: Presence = {};
  let commands: NodeCommandOptions | undefined; // with a command key
  let flaw = ""; // the last of the link, told once
  let second = 0;
  let inSecond = 0;
  let messages = 0;
  const asks = new Map<number, string>(); // number of the device's ask → id
  served.track(() => ({ arrived: messages, done: messages }));

  const client = createLinkClient({
    write: (bytes) => link.write(bytes),
    clock,
    node: "gateway",
    onMessage: take,
    onAsk: (message) => ask(message),
    onBad(reason, bytes) {
      if (reason === flaw) return;
      flaw = reason;
      say(`${link.name} sent ${bytes} B that cannot be read: ${reason}`);
    },
  });

  function take(message: DeviceMessage): void {
    messages++;
    if (!isWithinRate()) return;
    switch (message.type) {
      case "hello":
        if (hello === undefined || message.hello.boots === hello.boots) return;
        hello = message.hello;
        say(`${link.name} started again (boot ${hello.boots})`);
        void orderStanding();
        return;
      case "decision":
        if (message.agent === AGENT) onDecision(message.decision);
        return;
      case "telemetry": {
        const { counters, memoryUsedBytes, isAsleep, asksKept } = message.telemetry;
        asker?.telemetry({ ...counters, memoryUsedBytes, isAsleep, asksKept, ...presence });
        report({});
        return;
      }
      case "log":
        say(`${link.name}: ${message.log.text} ${message.log.value}`);
        return;
      default: // acks are the client's, asks go to the outbox
    }
  }

  function isWithinRate(): boolean {
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) [second, inSecond] = [now, 0];
    if (++inSecond === MAX_PER_SECOND + 1) say(`${link.name} sends more than ${MAX_PER_SECOND} messages per second: the rest is left out`);
    return inSecond <= MAX_PER_SECOND;
  }

  function onDecision(decision: Extract<DeviceMessage, { type: "decision" }>["decision"]): void {
    if (label === undefined) return; // not greeted yet
    const change = label.decide(decision);
    const { agent } = presence;
    if (change === undefined || agent === undefined) return;
    const { before, ...told } = change;
    const event = { ...told, ...(before !== undefined && { before }), confidence: decision.confidenceQ15 / 32768, tick: decision.tick };
    if (change.label === known?.agent.definition.alarm) asker?.alarm(agent, event);
    else asker?.event(agent, event);
    say(`event ${change.label} (${change.source}, ${event.confidence.toFixed(3)})`);
    report({ label: change.label });
  }

  function report(news: Presence): void {
    presence = { ...presence, ...news };
    asker?.report(presence);
    gateway.page?.update(node, presence, asker?.counts().asked ?? 0);
  }

  /** Into the outbox; the device keeps what is not taken, and asks again. */
  function ask({ agent, ask: query }: Extract<DeviceMessage, { type: "ask" }>): boolean {
    const { number, tick, label: local, confidenceQ15, exit, patchBytes, patches } = query;
    if (asker === undefined || known === undefined || agent !== AGENT) return false;
    if (asks.has(number)) return true; // its ack was lost
    if (asks.size >= MAX_ASKS) return false;
    const { definition } = known.agent;
    const { image, imageHash } = known.model;
    const id = asker.ask({
      agent: definition.name,
      imageHash,
      labels: image.manifest.labels,
      ...{ tick, patches, patchBytes, windowPatches: image.windowPatches },
      local: { label: local, confidenceQ15, exit },
      deadlineMillis: 1000 * definition.asks.deadlineSeconds,
    });
    if (asker.ledger().get(id) !== "pending") return false;
    asks.set(number, id);
    label?.asked(query);
    return true;
  }

  function onOutcome({ id, answer, tick, local }: AskOutcome): void {
    const number = [...asks].find(([, one]) => one === id)?.[0];
    if (number === undefined) return; // of an earlier run of the gateway
    asks.delete(number);
    const change = label?.answered(tick, local, answer);
    if (change !== undefined && presence.agent !== undefined) {
      asker?.event(presence.agent, { ...change, tick });
      report({ label: change.label });
    }
    if (answer !== undefined)
      void client.answer(AGENT, { number, label: answer.label, confidenceQ15: Math.round(32768 * answer.confidence) }).then((result) => {
        if (!result.ok) say(`${link.name} did not take an answer: ${result.reason}`);
      });
  }

  /** Greets the device, finds its model, and connects to the broker as its node. */
  async function serve(): Promise<void> {
    const greeted = await client.hello();
    if (signal.aborted) return;
    if (!greeted.ok) throw new Error(`${link.name} was not greeted: ${flaw === "" ? greeted.reason : flaw}.`);
    hello = greeted.value;
    const imageHash = hello.agents[AGENT]?.imageHash;
    if (imageHash === undefined || /^0*$/.test(imageHash))
      throw new Error(`${link.name} has no model. Build its firmware with one, or bring it one.`);
    known = await gateway.agents.find(imageHash);
    if (signal.aborted) return;
    const agent = known?.agent.definition.name ?? served.agentName;
    const labels = known?.model.image.manifest.labels ?? [];
    if (known === undefined)
      say(`${link.name} runs a model that is not here (${imageHash.slice(0, 12)}): its labels are numbers, and its asks are not passed on`);
    label = new MirroredLabel(known);
    const { device } = served;
    presence = {
      firmware: hello.firmware,
      model: imageHash,
      agent,
      reportSeconds: gateway.config.reportSeconds,
      ...(device.board !== undefined && { board: device.board }),
    };
    const latest = (await gateway.agents.open(agent).catch(() => undefined))?.model.imageHash ?? imageHash;
    const update = { installed_version: imageHash.slice(0, 12), latest_version: latest.slice(0, 12), title: `model of ${agent}` };
    const options = nodeAsker(gateway, served, presence, {
      ...{ agent, labels, alarm: known?.agent.definition.alarm },
      update: () => update,
    });
    gateway.page?.update(node, presence, 0);
    const unwatch = watchPresence(withAttributes(gateway.telemetry, { node }), () => presence);
    say(`${link.name} decides itself: firmware ${hello.firmware}, ${agent} (${imageHash.slice(0, 12)}), as ${gateway.config.site}/${node}`);
    try {
      if (options !== undefined) asker = openAsker(options);
      await orderStanding();
      await untilAborted(signal);
    } finally {
      unwatch();
      await asker?.close();
    }
  }

  /** What the device goes by from its start on: the configuration, and over it the operator's last order. */
  async function orderStanding(): Promise<void> {
    const parts = { ...served.device.setPoint, ...commands?.store.state.setPoint };
    if (Object.keys(parts).length > 0) await order(parts, "the set-point that stands");
  }

  function openAsker(options: Omit<AskerOptions, "events" | "clock">): Asker {
    const refuse = createCommandRefuser({ clock, tell: (told) => asker?.telemetry({ command: told }) });
    commands = openCommands();
    const inbox = commands && commandInbox(commands);
    return createAsker({
      ...options,
      clock,
      onCommand: (message) => (inbox === undefined ? refuse(message) : inbox.receive(message)),
      events: {
        onOutcome,
        onAnomaly: ({ code, message }) => say(`${code}: ${message}`),
        onLinkState: (state, detail) => say(`broker ${state}${detail === undefined ? "" : `: ${detail}`}`),
      },
    });
  }

  function openCommands(): NodeCommandOptions | undefined {
    const { config, stateFolder } = gateway;
    const { commandKey = config.commandKey, commandFloor = config.commandFloor } = served.device;
    if (commandKey === undefined) return undefined;
    return openNodeCommands({ node, commandKey, commandFloor }, stateFolder, { onReboot: () => {}, note: say, clock });
  }

  /** Commands of an operator: obeyed once the device has acknowledged them. */
  function commandInbox({ key, store, folder }: NodeCommandOptions) {
    const { config } = gateway;
    return createCommandInbox({
      ...{ site: config.site, node, key, store, clock },
      tell: (told) => asker?.telemetry({ command: told }),
      onAnomaly: ({ code, message }) => say(`${code}: ${message}`),
      onCommand: (verb, outcome) => {
        if (outcome === "obeyed") say(`Obeyed a command: ${verb}.`);
      },
      actions: {
        setPoint: (parts) => order({ ...served.device.setPoint, ...parts }, "a set-point"),
        snapshot: async () => obeyed(await client.command(AGENT, { verb: "snapshot" }), { file: join(folder, "on the device"), bytes: 0 }),
        reboot: async () => obeyed(await client.command(AGENT, { verb: "reboot" }), {}),
      },
    });
  }

  async function order(parts: { readonly [K in keyof SetPoint]?: SetPoint[K] | undefined }, what: string) {
    if (known === undefined) return "the device's model is not here, so its set-point is not known";
    const { image } = known.model;
    const setPoint: SetPoint = {
      maxExit: image.exits.length - 1,
      hopPatches: image.hopPatches,
      askAllowed: asker !== undefined,
      limitReason: "none",
      askIntervalHops: known.agent.definition.asks.intervalHops,
      thresholds: new Array<number>(image.exits.length).fill(0),
      ...(Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Partial<SetPoint>),
    };
    const done = obeyed(await client.setPoint(AGENT, setPoint), { ...setPoint });
    if (typeof done === "string") say(`${link.name} did not take ${what}: ${done}`);
    return done;
  }

  const ended = serve().finally(() => client.close());
  return { push: (bytes) => client.receive(bytes), lost: () => client.close(), ended };
}

/** The effect once a device has acknowledged, or why it has not. */
function obeyed<T extends object>(result: LinkResult<Ack>, effect: T): T | string {
  if (!result.ok) return result.reason;
  return result.value.status === 0 ? effect : `the device refused it with status ${result.value.status}`;
}
