import type { ByeMessage, FleetFrame, FleetHello, LostMessage, RunFrame, RunHello } from "../messages.ts";

export interface StreamEvents {
  run(hello: RunHello): void;
  frame(frame: RunFrame): void;
  fleet(hello: FleetHello): void;
  "fleet-frame"(frame: FleetFrame): void;
  lost(message: LostMessage): void;
  bye(message: ByeMessage): void;
}

/**
 * Connects to the server's events while the page is seen: a browser opens six streams per server at most, and forty hidden tabs must not
 * take them from the one that somebody looks at. `onState` gets whether messages come.
 */
export function openStream(events: StreamEvents, onState: (isOpen: boolean) => void): void {
  let source: EventSource | undefined;
  let isOver = false;
  const close = (): void => {
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    if (source !== undefined || isOver || document.visibilityState === "hidden") return;
    const mine = new EventSource(`events${location.search}`);
    source = mine;
    mine.onopen = () => onState(true);
    mine.onerror = () => onState(false);
    for (const [name, handle] of Object.entries(events) as [string, (data: unknown) => void][])
      mine.addEventListener(name, (message) => {
        if (name === "bye") {
          isOver = true;
          close();
        }
        handle(JSON.parse((message as MessageEvent<string>).data));
      });
  };
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? close() : open()));
  open();
}
