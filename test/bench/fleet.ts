import { join } from "node:path";
import type { Model } from "../../host/core/session/model.ts";
import type { Clock } from "../../host/core/system/clock.ts";
import { createAsker } from "../../host/mqtt/asks/asker.ts";
import type { Asker } from "../../host/mqtt/asks/asker-types.ts";
import { openLedgerFile } from "../../host/mqtt/outbox/ledger-file.ts";
import { openOutbox } from "../../host/mqtt/outbox/outbox.ts";
import type { BrokerOptions } from "../../host/mqtt/transport/broker-url.ts";
import type { AskOutcome, AskQuery } from "../../host/mqtt/wire/ask.ts";

/** Ids that a device's ledger keeps in memory; the file has all. */
const LEDGER_ENTRIES = 16;
/** New connections at once: a broker's backlog is short. */
const CONNECT_AT_ONCE = 50;
/** How long the whole fleet may take to connect. */
const CONNECT_MILLIS = 60_000;

export interface FleetOptions {
  readonly broker: BrokerOptions;
  readonly devices: number;
  readonly agent: string;
  readonly model: Model;
  /** What is asked, in turn: (patches, patchBytes) s8. */
  readonly contexts: readonly Int8Array[];
  readonly deadlineMillis: number;
  /** What the names of its nodes begin with: another run's, on the same broker, are not ours. */
  readonly nodePrefix: string;
  /** Ledgers and outboxes, a file each a device. */
  readonly folder: string;
  readonly fsync: "asked" | "none";
  /** Whether each device writes a ledger, default true. */
  readonly hasLedgers?: boolean;
  readonly clock: Clock;
  readonly onOutcome: (device: Device, outcome: AskOutcome) => void;
}

/** A device as the cloud sees it: its own MQTT client, outbox and ledger, in whatever process. */
export interface Device {
  readonly node: string;
  readonly ledgerPath: string;
  readonly asker: Asker;
  ask(): void;
}

/** Connects `devices` devices. Real in all but the wearer: contexts come from synthetic ones, asked whether the model was sure or not. */
export async function openFleet(options: FleetOptions): Promise<Device[]> {
  const devices: Device[] = [];
  const waiting = new Set<() => void>();
  for (let i = 0; i < options.devices; i++) {
    devices.push(
      openDevice(options, i, () => {
        for (const wake of waiting) wake();
      }),
    );
    if (devices.length % CONNECT_AT_ONCE === 0) await allOnline(devices, waiting, options.clock);
  }
  await allOnline(devices, waiting, options.clock);
  return devices;
}

function openDevice(options: FleetOptions, index: number, onOnline: () => void): Device {
  const node = `${options.nodePrefix}${String(index).padStart(6, "0")}`;
  const ledgerPath = join(options.folder, `${node}.jsonl`);
  const { image, imageHash, manifest } = options.model;
  let count = 0;
  const device: Device = {
    node,
    ledgerPath,
    asker: createAsker({
      broker: options.broker,
      ...{ site: "bench", node, clock: options.clock, ledgerEntries: LEDGER_ENTRIES },
      outbox: openOutbox({ path: join(options.folder, `${node}.outbox`), fsync: options.fsync }),
      ...(options.hasLedgers === false ? {} : { ledgerSink: openLedgerFile(ledgerPath) }),
      events: {
        onOutcome: (outcome) => options.onOutcome(device, outcome),
        onLinkState: (state) => state === "online" && onOnline(),
      },
    }),
    ask() {
      const query: AskQuery = {
        ...{ agent: options.agent, imageHash, labels: manifest.labels, tick: count, deadlineMillis: options.deadlineMillis },
        patches: options.contexts[(index + count) % options.contexts.length]!,
        patchBytes: image.channels * image.patchFrames,
        windowPatches: image.windowPatches,
        local: { label: (index + count) % manifest.labels.length, confidenceQ15: 12_000, exit: image.exits.length - 1 },
      };
      count++;
      device.asker.ask(query);
    },
  };
  return device;
}

/** Waits until each is online, or as long as that may take: a device that is not goes on trying, and its asks wait. */
function allOnline(devices: readonly Device[], waiting: Set<() => void>, clock: Clock): Promise<void> {
  const isDone = () => devices.every(({ asker }) => asker.linkState === "online");
  if (isDone()) return Promise.resolve();
  return new Promise((resolve) => {
    const check = () => {
      if (!isDone()) return;
      cancel();
      waiting.delete(check);
      resolve();
    };
    const cancel = clock.after(CONNECT_MILLIS, () => {
      waiting.delete(check);
      resolve();
    });
    waiting.add(check);
  });
}
