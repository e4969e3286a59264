import { resolve } from "node:path";
import type { Command } from "commander";
import { readFormat } from "../../core/image/image-header.ts";
import { imageHash, readImage } from "../../core/image/image-read.ts";
import { writeImage } from "../../core/image/image-write.ts";
import { ConfigError, DataError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import { writeWhole } from "../../core/system/private-file.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { countText } from "../../core/system/table.ts";
import { isTextImage, readTextImage, writeTextImage } from "../../core/text/text-image.ts";
import { compareLedgers } from "../../mqtt/outbox/ledger.ts";
import { type LedgerReading, scanLedgerFile } from "../../mqtt/outbox/ledger-reading.ts";
import { inspectImage, sayImage } from "../common/inspect-image.ts";
import { inspectStream, sayStream } from "../common/inspect-stream.ts";
import { inspectText, sayText } from "../common/inspect-text.ts";
import { jsonOption, numberAtLeast, refuseWithout } from "../common/options.ts";

const IMAGE_MAGIC = "DMM1";

interface InspectOptions {
  readonly json: boolean;
  readonly rateHz: number;
  readonly upgrade?: string;
}

/** `dormouse inspect`: contents of a file. */
export function registerInspect(program: Command, io: CliIo): void {
  program
    .command("inspect")
    .description("Show what a model image (.dmm) or a recorded link stream holds, or compare two ledgers.")
    .argument("<file>", "a .dmm image, a link stream, or a node's ledger")
    .argument("[ledger]", "the cloud's ledger, to compare with the node's")
    .option("--rate-hz <n>", "assume this many frames per second in a link stream", numberAtLeast(0.1), 50)
    .option("--upgrade <file>", "write the image to this file in the newest format; its decisions stay the same")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse inspect agents/activity/model.dmm\n  $ dormouse inspect old.dmm --upgrade new.dmm\n  $ dormouse inspect node.jsonl cloud.jsonl        asks that are lost: in no state at the node",
    )
    .action((file: string, ledger: string | undefined, options: InspectOptions, command: Command) => {
      const out = createOutput(io, options.json);
      const path = resolve(io.cwd, file);
      const bytes = readBytes(path);
      const isImage = Buffer.from(bytes.subarray(0, 4)).toString("latin1") === IMAGE_MAGIC;
      if (isImage || ledger !== undefined) refuseWithout(command, "a link stream", "--rate-hz");
      if (isImage && ledger !== undefined)
        throw new ConfigError("INSPECT_WHAT", `${path} is a model image, no ledger: give it alone, or two ledgers.`);
      if (!isImage) refuseWithout(command, "a model image", "--upgrade");
      if (options.upgrade !== undefined) upgrade(out, path, bytes, resolve(io.cwd, options.upgrade));
      else if (ledger !== undefined) compare(out, path, resolve(io.cwd, ledger));
      else if (isImage && isTextImage(bytes)) {
        const document = inspectText(path, bytes);
        sayText(out, document);
        out.document(document);
      } else if (isImage) {
        const document = inspectImage(path, bytes);
        sayImage(out, document);
        out.document(document);
      } else if (bytes[0] === 0x7b) {
        throw new ConfigError(
          "INSPECT_ONE_LEDGER",
          `${path} looks like a ledger: give the other end's too. Try: dormouse inspect ${file} cloud.jsonl.`,
        );
      } else {
        const document = inspectStream(path, bytes, options.rateHz);
        sayStream(out, document);
        out.document(document);
      }
    });
}

/** Writes an image of any format that is read in the one that is written. */
function upgrade(out: Output, from: string, bytes: Uint8Array, to: string): void {
  const upgraded = isTextImage(bytes) ? writeTextImage(readTextImage(bytes)) : writeImage(readImage(bytes));
  writeWhole(to, upgraded);
  const format = { from: readFormat(bytes), to: readFormat(upgraded) };
  out.say(`${to}: format ${format.from} → ${format.to}, ${upgraded.length} B, image hash ${imageHash(upgraded)}`);
  out.document({ kind: "upgrade", from, to, format, imageBytes: upgraded.length, hash: imageHash(upgraded) });
}

function compare(out: Output, edgePath: string, cloudPath: string): void {
  const [edge, cloud] = [readLedger(edgePath), readLedger(cloudPath)];
  const { unrecorded, notDurable } = edge;
  const compared = compareLedgers(edge.states, cloud.states);
  const comparison = { ...compared, asked: compared.asked + unrecorded, lost: compared.lost + unrecorded };
  const { asked, answered, expired, refused, evicted, pending, lost, neverAtCloud, lostIds } = comparison;
  out.say(`asked ${asked}: ${answered} answered, ${expired} expired, ${refused} refused, ${evicted} evicted, ${pending} pending`);
  if (notDurable > 0) out.say(`never durable ${notDurable}: evicted, or pending in memory alone, since the node's disk was full`);
  if (unrecorded > 0) out.say(`not recorded ${unrecorded}: the disk was full, and their ids are lost`);
  out.say(`lost ${lost}${lostIds.length === 0 ? "" : `: ${lostIds.slice(0, 5).join(" ")}`}; ${neverAtCloud} never reached a worker`);
  const unreadable = { node: edge.unreadable, cloud: cloud.unreadable };
  if (unreadable.node + unreadable.cloud > 0)
    out.say(`not read: ${countText(unreadable.node, "line")} of the node's ledger and ${unreadable.cloud} of the cloud's are no entries`);
  out.document({ kind: "ledgers", node: edgePath, cloud: cloudPath, ...comparison, notDurable, unrecorded, unreadable });
}

/** Reads a ledger; it may be empty. Throws if the file is something else. */
function readLedger(path: string): LedgerReading {
  const isEmpty = readBytes(path).length === 0;
  const reading = scanLedgerFile(path);
  if (reading.entries > 0 || isEmpty) return reading;
  throw new DataError("NOT_A_LEDGER", `${path} holds no ledger entry: give what run or cloud wrote with --ledger FILE.`);
}

function readBytes(path: string): Uint8Array {
  try {
    return readWhole(path);
  } catch (cause) {
    throw new DataError("FILE_UNREADABLE", `cannot read ${path}: check the path.`, { cause });
  }
}
