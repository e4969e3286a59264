import { resolve } from "node:path";
import { loadAgent, openAgentModel } from "../../agent/registry.ts";
import type { Output } from "../../core/system/output.ts";
import { loadBoard } from "../../power/board.ts";
import { poweredBoard } from "../../power/powered-board.ts";
import { type SustainedRun, sustainedRun } from "../../simulate/sustained.ts";
import { writeFile } from "../common/files.ts";
import { heatPage } from "./report/heat-page.ts";

export interface BackToBackOptions {
  readonly board: string;
  readonly hours: number;
  readonly ambient: number;
  readonly html?: string;
}

/** Decisions as fast as they go: burst against sustained, with the governor and without. */
export async function backToBack(name: string, options: BackToBackOptions, cwd: string, out: Output): Promise<void> {
  const agent = await loadAgent(name, cwd);
  const model = await openAgentModel(agent);
  const board = poweredBoard(loadBoard(options.board));
  const run = (isGoverned: boolean): SustainedRun =>
    sustainedRun({ image: model.image, board, seconds: Math.round(options.hours * 3600), ambientCelsius: options.ambient, isGoverned });
  const governed = run(true);
  const free = run(false);
  const { rows: _, ...own } = governed;
  const { rows: __, ...without } = free;
  out.say(
    `${agent.definition.name} back to back on ${board.id} at ${options.ambient} °C for ${options.hours} h, ${board.power.load?.name ?? "no load"} on`,
  );
  out.say(
    `with the governor: skin at most ${own.skinMaxCelsius.toFixed(2)} °C, ${own.levelChanges} changes of level, ${own.sustainedPerSecond.toFixed(0)} decisions/s sustained (burst ${own.burstPerSecond.toFixed(0)})`,
  );
  out.say(`without: skin at most ${without.skinMaxCelsius.toFixed(2)} °C; the limit is ${own.limitCelsius} °C`);
  if (options.html !== undefined)
    writeFile(
      resolve(cwd, options.html),
      heatPage({
        agent: agent.definition.name,
        board: board.name,
        ambientCelsius: options.ambient,
        hours: options.hours,
        governed,
        free,
      }),
    );
  out.document({
    agent: agent.definition.name,
    board: board.id,
    ambientCelsius: options.ambient,
    hours: options.hours,
    load: board.power.load?.name ?? null,
    ...own,
    ungoverned: without,
  });
}
