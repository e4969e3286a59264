import { resolve } from "node:path";
import { type Command, CommanderError } from "commander";
import { createOutput } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { readIdentity } from "../../security/identity.ts";
import { agentChecks, certificateChecks, coreChecks, type DoctorCheck, nodeCheck, toolChecks } from "../common/doctor-checks.ts";
import { jsonOption } from "../common/options.ts";

const MARKS = { ok: "✓", missing: "–", warning: "!", failed: "✗" } as const;

/** `dormouse doctor`: is everything there, and does every engine give the same bits? */
export function registerDoctor(program: Command, io: CliIo): void {
  program
    .command("doctor")
    .description("Check this machine: Node, the wasm core, the shipped models, optional tools.")
    .option("--identity <dir>", "check when the certificates of this folder expire, too")
    .addOption(jsonOption())
    .addHelpText("after", "\nExamples:\n  $ dormouse doctor\n  $ dormouse doctor --identity wrist-1")
    .action(async (options: { json: boolean; identity?: string }) => {
      const out = createOutput(io, options.json);
      const identity = options.identity === undefined ? undefined : readIdentity(resolve(io.cwd, options.identity));
      const checks: DoctorCheck[] = [nodeCheck(), ...coreChecks(), ...(await agentChecks()), ...toolChecks(io.env.PATH ?? "")];
      if (identity !== undefined) checks.push(...certificateChecks(identity.tls, io.clock.wall()));
      for (const { check, state, detail, mend } of checks) {
        out.say(`${MARKS[state]} ${check}: ${detail}${mend === undefined ? "" : `. ${mend}`}`);
      }
      const isHealthy = checks.every(({ state }) => state !== "failed");
      out.say(isHealthy ? "Everything required is present." : "Something is broken: fix the lines marked ✗.");
      out.document({ isHealthy, checks });
      if (!isHealthy) throw new CommanderError(1, "dormouse.doctor", "doctor found something broken");
    });
}
