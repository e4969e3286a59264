import { startBroker } from "../../mqtt/transport/broker.ts";

/** A broker that can be taken away and brought back on the same port, to show what an outage does. */
export interface SwitchedBroker {
  readonly url: string;
  readonly isUp: boolean;
  set(isUp: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Starts the embedded broker on a free port. `set` rejects if somebody has taken the port meanwhile. */
export async function startSwitchedBroker(): Promise<SwitchedBroker> {
  let broker = await startBroker({ port: 0 });
  const { url, port } = broker;
  let isUp = true;
  let turn: Promise<void> = Promise.resolve(); // one switch at a time
  const set = (wanted: boolean): Promise<void> => {
    turn = turn
      .catch(() => {})
      .then(async () => {
        if (wanted === isUp) return;
        if (wanted) broker = await startBroker({ port });
        else await broker.close();
        isUp = wanted;
      });
    return turn;
  };
  return {
    url,
    get isUp() {
      return isUp;
    },
    set,
    close: () => set(false),
  };
}
