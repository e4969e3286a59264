import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { AskerStats } from "../../../host/mqtt/asks/asker-types.ts";
import type { Child } from "./child.ts";
import type { ChaosFault, ChaosScene } from "./run.ts";
import { writeUntilFull } from "./write-until-full.ts";

/** Bytes of the disk that is filled: room for the logs of a quiet run. */
const DISK_KIBIBYTES = 2048;
/** Acts that end while a disk is full: more than the asks under way when it fills (30 of a short run), and those that fit into the room taken ahead. */
const ACTS_ON_FULL_DISK = 30 + 70;

/** Kills one of `children` at random moments until the asks are through. */
async function killAtRandom({ random, wait, isOver, size }: ChaosScene, children: readonly Child[]): Promise<void> {
  for (let kills = 0; kills < 3 || !isOver(); kills++) {
    await wait((0.05 + 0.15 * random()) * size.faultMillis);
    const victim = children[Math.floor(random() * children.length)]!;
    await victim.kill(20 + random() * 0.05 * size.faultMillis);
  }
}

async function killBroker({ random, wait, isOver, size, broker }: ChaosScene): Promise<void> {
  while (!isOver()) {
    await wait((0.05 + 0.15 * random()) * size.faultMillis);
    await broker.kill(); // and all that it knew: sessions, queues, retained messages
    await wait(random() * 0.1 * size.faultMillis);
    await broker.start();
  }
}

async function halfOpen({ random, wait, isOver, size, deviceNet, workerNet }: ChaosScene): Promise<void> {
  while (!isOver()) {
    await wait((0.1 + 0.1 * random()) * size.faultMillis);
    const nets = random() < 0.5 ? [deviceNet] : [deviceNet, workerNet];
    for (const net of nets) net.freeze();
    await wait((0.1 + 0.2 * random()) * size.faultMillis);
    for (const net of nets) net.thaw();
  }
}

async function badWeather({ wait, isOver, deviceNet, workerNet }: ChaosScene): Promise<void> {
  const weather = { lossRate: 0.3, jitterMillis: 2000 };
  deviceNet.weather = workerNet.weather = weather;
  while (!isOver()) await wait(50);
  deviceNet.weather = workerNet.weather = undefined;
}

async function fillDisk({ random, untilActedOn, isOver, size, disk }: ChaosScene): Promise<void> {
  const ballast = join(disk, "ballast");
  for (let fills = 0; fills < 1 || !isOver(); fills++) {
    await untilActedOn((0.02 + 0.05 * random()) * size.asks);
    writeUntilFull(ballast);
    await untilActedOn(ACTS_ON_FULL_DISK);
    rmSync(ballast);
  }
}

/** A small disk at a folder, until the returned function is called. */
export function mountDisk(disk: string, kibibytes = DISK_KIBIBYTES): () => void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", disk], { stdio: "pipe" });
  return () => execFileSync("umount", [disk], { stdio: "pipe" });
}

/** Files may grow to so much, as on a full disk, until somebody raises the limit: for where nothing can be mounted. */
async function raiseFileLimit({ untilActedOn, size, device }: ChaosScene): Promise<void> {
  await untilActedOn(Math.min(300, 0.7 * size.asks)); // of which most did not fit
  execFileSync("prlimit", ["--pid", String(device.pid), "--fsize=unlimited"], { stdio: "pipe" });
}

/** Whether this process may mount a small disk. */
export function canMount(folder: string): boolean {
  try {
    mountDisk(folder)();
    return true;
  } catch {
    return false;
  }
}

const wereKilled = (kills: number) => kills >= 3;
const hadReconnects = (_: number, { connects }: AskerStats) => connects >= 2;
const wereOnFullDisk = (_: number, { notDurable, outboxFailures }: AskerStats) => notDurable > 0 && outboxFailures > 0;

/** Every fault of the chaos tests. */
export const FAULTS: readonly ChaosFault[] = [
  { name: "the device killed at random moments", happen: (scene) => killAtRandom(scene, [scene.device]), hasStruck: wereKilled },
  { name: "workers killed at random moments", happen: (scene) => killAtRandom(scene, scene.workers), hasStruck: wereKilled },
  { name: "the broker killed at random moments, its state lost", happen: killBroker, hasStruck: hadReconnects },
  { name: "half-open TCP", happen: halfOpen, hasStruck: hadReconnects },
  { name: "30 % of segments lost and 2 s of jitter", happen: badWeather, hasStruck: (_, { resends }) => resends > 0 },
  { name: "a full disk", happen: fillDisk, prepareDisk: (disk) => mountDisk(disk), hasStruck: wereOnFullDisk },
  {
    name: "files that may not grow",
    program: "prlimit",
    happen: raiseFileLimit,
    devicePrefix: ["bash", "-c", 'ulimit -S -f 24; exec "$@"', "limited"],
    hasStruck: wereOnFullDisk,
  },
  {
    name: "clock jumps, the device killed between",
    wallJumps: true,
    happen: (scene) => killAtRandom(scene, [scene.device]),
    hasStruck: wereKilled,
  },
  {
    name: "device, workers and broker killed at random moments",
    happen: async (scene) => void (await Promise.all([killAtRandom(scene, [scene.device, ...scene.workers]), killBroker(scene)])),
    hasStruck: wereKilled,
  },
];
