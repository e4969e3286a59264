import { Readable } from "node:stream";

/** What the broker keeps for clients that are away, and for those that subscribe later. */
export interface BrokerMemoryLimits {
  /** QoS 1 and 2 messages that wait for one session, and their bytes. */
  readonly sessionMessages: number;
  readonly sessionBytes: number;
  /** Of all sessions together. */
  readonly totalBytes: number;
  readonly retainedTopics: number;
  readonly retainedBytes: number;
  /** QoS 2 messages of one client that are not released yet, at most the Receive Maximum that it was given. */
  readonly unreleased: number;
}

/** The part of a message that matters here; aedes adds its own fields. */
interface Message {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: number;
  messageId?: number | undefined;
  brokerId?: string;
  brokerCounter?: number;
  messageExpiry?: number; // wall milliseconds
}
type Owner = { readonly id: string };

/** The methods of aedes's store that are replaced, by its names; the rest of the store stays. */
export interface MessageStore {
  storeRetained(message: Message): Promise<void>;
  outgoingEnqueue(to: { readonly clientId: string }, message: Message): Promise<void>;
  outgoingEnqueueCombi(to: readonly { readonly clientId: string }[], message: Message): Promise<void>;
  outgoingUpdate(owner: Owner, message: Message): Promise<void>;
  outgoingClearMessageId(owner: Owner, message: Message): Promise<Message | undefined>;
  outgoingStream(owner: Owner): Readable;
  incomingStorePacket(owner: Owner, message: Message): Promise<void>;
  incomingGetPacket(owner: Owner, message: Message): Promise<Message>;
  incomingDelPacket(owner: Owner, message: Message): Promise<void>;
  cleanSubscriptions(owner: Owner): Promise<unknown>;
}

/** A session's messages, oldest first. */
interface Queue {
  readonly messages: Message[];
  bytes: number;
}

const bytesOf = (message: Message): number => message.topic.length + message.payload.length;
const isSame = (a: Message, b: Message): boolean => a.brokerId === b.brokerId && a.brokerCounter === b.brokerCounter;

/**
 * Bounds aedes's store in memory: a full session queue takes no more (expired messages make room first), a full set of retained
 * messages takes no new topic. `onDropped` gets what was not kept.
 */
export function boundBrokerMemory(
  store: MessageStore,
  limits: BrokerMemoryLimits,
  wall: () => number,
  onDropped: (what: "queued" | "retained", owner: string) => void,
): void {
  const queues = new Map<string, Queue>();
  const retained = new Map<string, number>(); // topic → bytes
  const unreleased = new Map<string, Map<number | undefined, Message>>(); // client → message id → message
  let totalBytes = 0;
  let retainedBytes = 0;
  const { cleanSubscriptions, storeRetained } = store;

  function remove(id: string, queue: Queue, at: number): Message {
    const [message] = queue.messages.splice(at, 1);
    queue.bytes -= bytesOf(message!);
    totalBytes -= bytesOf(message!);
    if (queue.messages.length === 0) queues.delete(id);
    return message!;
  }

  const hasRoom = ({ messages, bytes }: Queue, more: number): boolean =>
    messages.length < limits.sessionMessages && bytes + more <= limits.sessionBytes && totalBytes + more <= limits.totalBytes;

  function dropExpired(id: string, queue: Queue): void {
    const now = wall();
    for (let at = queue.messages.length - 1; at >= 0; at--) {
      if ((queue.messages[at]!.messageExpiry ?? Number.POSITIVE_INFINITY) <= now) remove(id, queue, at);
    }
  }

  function enqueue(id: string, message: Message): void {
    const queue = queues.get(id) ?? { messages: [], bytes: 0 };
    const bytes = bytesOf(message);
    if (!hasRoom(queue, bytes)) dropExpired(id, queue);
    if (!hasRoom(queue, bytes)) {
      onDropped("queued", id);
      return;
    }
    queue.messages.push({ ...message, messageId: undefined });
    queue.bytes += bytes;
    totalBytes += bytes;
    queues.set(id, queue);
  }

  Object.assign(store, {
    async storeRetained(message) {
      const bytes = message.payload.length === 0 ? 0 : bytesOf(message);
      const before = retained.get(message.topic) ?? 0;
      const isOver = retainedBytes + bytes - before > limits.retainedBytes || (before === 0 && retained.size >= limits.retainedTopics);
      if (bytes > 0 && isOver) return onDropped("retained", message.topic);
      retainedBytes += bytes - before;
      if (bytes === 0) retained.delete(message.topic);
      else retained.set(message.topic, bytes);
      await storeRetained.call(store, message);
    },
    async outgoingEnqueue({ clientId }, message) {
      enqueue(clientId, message);
    },
    async outgoingEnqueueCombi(to, message) {
      for (const { clientId } of to) enqueue(clientId, message);
    },
    /** A message gets its id, or a PUBREL takes the place of the QoS 2 message with its id. One that was not kept is delivered all the same. */
    async outgoingUpdate({ id }, message) {
      const queue = queues.get(id);
      const same = queue?.messages.find((one) => isSame(one, message));
      if (same) same.messageId = message.messageId;
      else {
        const at = queue?.messages.findIndex((one) => message.messageId !== undefined && one.messageId === message.messageId) ?? -1;
        if (queue === undefined || at < 0) return;
        const change = (message.payload?.length ?? 0) + (message.topic?.length ?? 0) - bytesOf(queue.messages[at]!);
        queue.messages[at] = { ...message, topic: message.topic ?? "", payload: message.payload ?? "" };
        queue.bytes += change;
        totalBytes += change;
      }
    },
    async outgoingClearMessageId({ id }, message) {
      const queue = queues.get(id);
      const isIt = (one: Message) => (message.messageId === undefined ? isSame(one, message) : one.messageId === message.messageId);
      const at = queue?.messages.findIndex(isIt) ?? -1;
      return queue === undefined || at < 0 ? undefined : remove(id, queue, at);
    },
    outgoingStream: ({ id }) => Readable.from([...(queues.get(id)?.messages ?? [])]),
    async incomingStorePacket({ id }, message) {
      const held = unreleased.get(id) ?? new Map<number | undefined, Message>();
      if (held.size >= limits.unreleased) throw new Error(`more than ${limits.unreleased} unreleased QoS 2 messages`);
      unreleased.set(id, held.set(message.messageId, { ...message }));
    },
    async incomingGetPacket({ id }, { messageId }) {
      const message = unreleased.get(id)?.get(messageId);
      if (message === undefined) throw new Error("no such packet");
      return message;
    },
    async incomingDelPacket({ id }, { messageId }) {
      const held = unreleased.get(id);
      if (!held?.delete(messageId)) throw new Error("no such packet");
      if (held.size === 0) unreleased.delete(id);
    },
    /** The end of a session, and a clean start. */
    async cleanSubscriptions(owner) {
      unreleased.delete(owner.id);
      return cleanSubscriptions.call(store, owner);
    },
  } satisfies Partial<MessageStore>);
}
