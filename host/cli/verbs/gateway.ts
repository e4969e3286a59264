import { join, resolve } from "node:path";
import { type Command, CommanderError } from "commander";
import type { ListenAddress } from "../../core/system/listen-address.ts";
import { createOutput } from "../../core/system/output.ts";
import { packageRoot } from "../../core/system/package-root.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { runGateway } from "../../gateway/gateway.ts";
import { checkGateway } from "../../gateway/gateway-check.ts";
import { type GatewayConfig, readGatewayConfig } from "../../gateway/gateway-config.ts";
import { createServiceManager } from "../../gateway/service-manager.ts";
import { jsonOption, refuseWith } from "../common/options.ts";
import { type PageOptions, withPage } from "../common/page-option.ts";
import { packageVersion } from "../common/version.ts";

interface Options extends PageOptions {
  readonly config: string;
  readonly dataDir: string;
  readonly check: boolean;
  readonly json: boolean;
}

/** `dormouse gateway`: many devices, one process. */
export function registerGateway(program: Command, io: CliIo): void {
  withPage(program.command("gateway"))
    .description("Serve many devices as nodes: their agents run here, or the devices decide and are passed on to MQTT.")
    .requiredOption("--config <file>", "read devices and broker from this JSON file")
    .option("--data-dir <dir>", "keep identities, pending asks and executed commands in this folder", ".dormouse")
    .option("--check", "check configuration, agents, ports, certificates and broker, and end", false)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse gateway --config gateway.json --check\n  $ dormouse gateway --config gateway.json --http 8080",
    )
    .action((options: Options, command: Command) => {
      if (options.check) refuseWith(command, "--check", "--data-dir", "--http");
      return gateway(io, options);
    });
}

async function gateway(io: CliIo, options: Options): Promise<void> {
  const out = createOutput(io, options.json);
  const path = resolve(io.cwd, options.config);
  const http: ListenAddress | undefined = options.http || undefined;
  const read = (): GatewayConfig => ({ ...readGatewayConfig(path), ...(http && { http }) });
  const common = { config: read(), agentsFolder: join(packageRoot(), "agents"), cwd: io.cwd, clock: io.clock, env: io.env };
  if (options.check) {
    const findings = await checkGateway(common);
    for (const { what, result, text } of findings) out.say(`${result}: ${what}: ${text}`);
    out.document({ findings });
    if (findings.some(({ result }) => result === "failed")) throw new CommanderError(1, "dormouse.check", "");
    return;
  }
  await runGateway({
    ...common,
    readConfig: read,
    stateFolder: resolve(io.cwd, options.dataDir),
    version: packageVersion(),
    manager: createServiceManager(io.env, out.note),
    say: out.say,
    signal: io.interrupt,
  });
  out.document({ config: path, devices: common.config.devices.length });
}
