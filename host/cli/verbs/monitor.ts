import { closeSync, openSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { LINK_DEVICE } from "../../../assembly/device/layout.ts";
import { ConfigError, LinkError } from "../../core/system/errors.ts";
import { plainJson, plainText } from "../../core/system/plain-text.ts";
import { closeToOthers, PRIVATE_MODE } from "../../core/system/private-file.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { type Described, describeLine, describeMessage, describeNodeFrame } from "../../link/describe.ts";
import { encodeNodeHello } from "../../link/hello.ts";
import { CAUSES, createCauseFinder } from "../../link/likely-cause.ts";
import { DEFAULT_BAUD, parseLinkAddress } from "../../link/link-address.ts";
import { type LinkPort, openLinkFile, openLinkPort } from "../../link/link-port.ts";
import { createDeviceReader } from "../../link/messages.ts";
import { createLinkDecoder, createLinkWriter } from "../../link/stream.ts";
import { writing } from "../common/files.ts";
import { jsonOption, numberAtLeast, wholeNumber } from "../common/options.ts";

interface MonitorOptions {
  readonly baud: number;
  readonly hello: boolean;
  readonly sent: boolean;
  readonly capture?: string;
  readonly seconds?: number;
  readonly json: boolean;
}

/** `dormouse monitor`: what goes over a link, as it goes. */
export function registerMonitor(program: Command, io: CliIo): void {
  program
    .command("monitor")
    .description("Show the frames of a device's link, from a serial port, an emulator or a recording.")
    .argument("<source>", "serial:PATH[@BAUD], tcp:HOST:PORT, replay:FILE.dls, or the path of a port or a file of link bytes")
    .option("--baud <n>", "set the baud rate of a serial port that is given by its path", wholeNumber(300), DEFAULT_BAUD)
    .option("--hello", "send a hello first; the device replies with what it runs", false)
    .option("--sent", "decode bytes sent by a node: a recording of a device's input", false)
    .option("--capture <file>", "write the received bytes to this file, too")
    .option("--seconds <n>", "stop after this many seconds (default: at Ctrl-C or at the end)", numberAtLeast(0.1))
    .addOption(jsonOption().default(false, "print one JSON document per line: each message, then the counts"))
    .addHelpText("after", "\nExamples:\n  $ dormouse monitor serial:/dev/ttyACM0 --hello\n  $ dormouse monitor day.dls --sent --json")
    .action((source: string, options: MonitorOptions) => monitor(io, source, options));
}

/** A device's port by its address or path, or recorded bytes. */
function openSource(io: CliIo, source: string, baud: number): Promise<LinkPort> {
  const address = parseLinkAddress(source);
  if (address !== undefined) return openLinkPort(address);
  if (/^synthetic(:|$)/.test(source))
    throw new ConfigError("SENSOR_NO_LINK", `${source} has no link to show. Give serial:PATH, tcp:HOST:PORT or replay:FILE.dls.`);
  const isWindowsName = /^COM\d+$/i.test(source);
  const path = isWindowsName ? source : resolve(io.cwd, source.replace(/^replay:/, ""));
  const isPort = isWindowsName || (statSync(path, { throwIfNoEntry: false })?.isCharacterDevice() ?? false);
  return isPort ? openLinkPort({ kind: "serial", path, baud }) : Promise.resolve(openLinkFile(path));
}

async function monitor(io: CliIo, source: string, options: MonitorOptions): Promise<void> {
  const port = await openSource(io, source, options.baud);
  const capturePath = options.capture === undefined ? undefined : resolve(io.cwd, options.capture);
  let capture: number | undefined;
  const show = (described: Described) => io.stdout(`${options.json ? plainJson(described) : plainText(describeLine(described))}\n`);
  const onBad = (reason: string, bytes: number) => io.stderr(`bad: ${bytes} B, ${plainText(reason)}\n`);
  const reader = options.sent
    ? createLinkDecoder({ onFrame: (frame) => show(describeNodeFrame(frame)), onBad })
    : createDeviceReader({ onMessage: (message) => show(describeMessage(message)), onBad });

  const causes = createCauseFinder();
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    port.close();
  };
  io.interrupt.addEventListener("abort", stop, { once: true });
  const cancel = options.seconds === undefined ? undefined : io.clock.after(1000 * options.seconds, stop);
  try {
    if (capturePath !== undefined) {
      capture = writing(capturePath, () => openSync(capturePath, "w", PRIVATE_MODE));
      closeToOthers(capture); // it holds a wearer's activity, and may be an older file
    }
    if (options.hello) {
      port.write(Uint8Array.of(0));
      createLinkWriter((bytes) => port.write(bytes)).message(
        "hello",
        LINK_DEVICE,
        encodeNodeHello({ node: "monitor", unixMillis: Math.round(io.clock.wall()) }),
      );
    }
    for await (const bytes of port.bytes) {
      if (capture !== undefined) writing(capturePath!, () => writeFileSync(capture!, bytes));
      reader.push(bytes);
      causes.push(bytes);
    }
  } catch (error) {
    if (!isStopped) throw error; // a closed port ends its bytes in its own way
  } finally {
    cancel?.();
    io.interrupt.removeEventListener("abort", stop);
    port.close();
    if (capture !== undefined) closeSync(capture);
  }
  reader.end();
  const stats = reader.stats();
  const likelyCause = stats.bad === 0 ? undefined : causes.find();
  if (options.json) io.stdout(`${plainJson({ type: "end", source, ...stats, likelyCause })}\n`);
  else io.stderr(`${stats.frames} frames, ${stats.bad} bad (${stats.badBytes} B)${"lost" in stats ? `, ${stats.lost} lost` : ""}\n`);
  if (likelyCause !== undefined) io.stderr(`likely cause: ${CAUSES[likelyCause]}\n`);
  if (!isStopped && stats.frames === 0 && stats.bad > 0)
    throw new LinkError("NO_FRAMES", `${source} holds no link frame. Give a recording of a link (.dls), or the port of a device.`);
}
