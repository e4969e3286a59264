import { MqttError } from "../../core/system/errors.ts";

/**
 * Every topic that Dormouse uses, and nowhere else: `dormouse/v1/{site}/{node}/…`.
 *
 * | topic           | retained      | direction       |
 * |-----------------|---------------|-----------------|
 * | state           | yes, and will | node →          |
 * | availability    | yes, and will | node →, if json |
 * | label/{agent}   | yes           | node →, if json |
 * | update          | yes           | gateway →       |
 * | worker/{name}   | yes, and will | worker →        |
 * | event/{agent}   | no            | node →          |
 * | telemetry       | no            | node →          |
 * | ask/{agent}     | no            | node → cloud    |
 * | answer          | no            | cloud → node    |
 * | command/{verb}  | no            | operator → node |
 */
export const TOPIC_PREFIX = "dormouse/v1";

/** Longest site, node, agent or verb, in characters. */
export const MAX_NAME_CHARS = 64;

/** The workers' shared subscription at a broker without identities. A provisioned site has a group name of its own, which devices do not know. */
const DEFAULT_SHARED_GROUP = "cloud";

export type TopicKind = "state" | "availability" | "label" | "update" | "worker" | "event" | "telemetry" | "ask" | "answer" | "command";

const hasTail: Readonly<Record<TopicKind, boolean>> = {
  state: false,
  availability: false,
  label: true,
  update: false,
  worker: true,
  event: true,
  telemetry: false,
  ask: true,
  answer: false,
  command: true,
};

/** A topic taken apart. `tail` is the agent or the verb, where the kind has one. */
export interface ParsedTopic {
  readonly site: string;
  readonly node: string;
  readonly kind: TopicKind;
  readonly tail: string | undefined;
}

/** The topics of one node. */
export interface NodeTopics {
  readonly state: string;
  /** Plain words, for readers of text. */
  readonly availability: string;
  /** Which image the device runs, and which there is, as JSON for readers of text. */
  readonly update: string;
  readonly telemetry: string;
  readonly answer: string;
  ask(agent: string): string;
  event(agent: string): string;
  /** The shown label, a plain word, for readers of text. */
  label(agent: string): string;
  command(verb: string): string;
  /** Every command to this node, as a filter. */
  readonly commands: string;
}

/** Whether a name may stand as one level of a topic: 1…64 UTF-16 units, none of `+ # /`, no control character or lone surrogate, no leading `$`, not of dots alone (a name becomes part of paths). */
export function isName(name: unknown): name is string {
  return (
    typeof name === "string" && name.length <= MAX_NAME_CHARS && /^(?!\.+$)[^+#/$\p{C}\p{Zl}\p{Zp}][^+#/\p{C}\p{Zl}\p{Zp}]*$/u.test(name)
  );
}

/** Returns `name`, or throws an error that explains what is wrong with it. */
export function checkName(what: string, name: string): string {
  if (isName(name)) return name;
  throw new MqttError(
    "NAME_INVALID",
    `${what} ${JSON.stringify(name).slice(0, 100)} cannot stand in a topic. Use 1 to ${MAX_NAME_CHARS} characters without + # / or control characters, not starting with $, and not of dots alone.`,
  );
}

/** The topics of a node. Throws for names that MQTT could not carry. */
export function buildTopics(site: string, node: string): NodeTopics {
  const base = `${TOPIC_PREFIX}/${checkName("site", site)}/${checkName("node", node)}`;
  return {
    state: `${base}/state`,
    availability: `${base}/availability`,
    update: `${base}/update`,
    telemetry: `${base}/telemetry`,
    answer: `${base}/answer`,
    commands: `${base}/command/+`,
    ask: (agent) => `${base}/ask/${checkName("agent", agent)}`,
    event: (agent) => `${base}/event/${checkName("agent", agent)}`,
    label: (agent) => `${base}/label/${checkName("agent", agent)}`,
    command: (verb) => `${base}/command/${checkName("verb", verb)}`,
  };
}

/** Below it workers say that they are there: no node may have this name. */
const WORKERS = "cloud";

/** Where a worker says that it is there. Throws for names that MQTT could not carry. */
export function workerTopic(site: string, worker: string): string {
  return `${TOPIC_PREFIX}/${checkName("site", site)}/${WORKERS}/worker/${checkName("worker", worker)}`;
}

/** Topic filters of all that nodes and workers of a site (default: every site) tell of themselves; asks and answers are not among them. */
export function tellingFilters(site = "+"): string[] {
  const base = `${TOPIC_PREFIX}/${site === "+" ? site : checkName("site", site)}/+`;
  return ["state", "availability", "label/+", "update", "worker/+", "event/+", "telemetry"].map((end) => `${base}/${end}`);
}

/** The topic filter for every node's asks; shared = one worker of the group receives each. */
export function askFilter(options: { readonly shared: boolean; readonly group?: string | undefined }): string {
  const filter = `${TOPIC_PREFIX}/+/+/ask/+`;
  return options.shared ? `$share/${checkName("group", options.group ?? DEFAULT_SHARED_GROUP)}/${filter}` : filter;
}

/** Takes a topic name apart; undefined when it is not one of ours. Any string is safe. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  if (topic.length > TOPIC_PREFIX.length + 4 * (MAX_NAME_CHARS + 1) || !topic.startsWith(`${TOPIC_PREFIX}/`)) return undefined;
  const [site, node, kind, tail, ...rest] = topic.slice(TOPIC_PREFIX.length + 1).split("/");
  if (!isName(site) || !isName(node) || kind === undefined || !Object.hasOwn(hasTail, kind) || rest.length > 0) return undefined;
  if (hasTail[kind as TopicKind] ? !isName(tail) : tail !== undefined) return undefined;
  return { site, node, kind: kind as TopicKind, tail };
}
