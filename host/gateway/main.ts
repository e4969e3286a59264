import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../core/system/clock.ts";
import { DormouseError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import { plainText } from "../core/system/plain-text.ts";
import { endSoon, watchOutput, watchUncaught } from "../core/system/process-end.ts";
import { textWithoutSecrets } from "../core/system/secrets.ts";
import { runGateway } from "./gateway.ts";
import { checkGateway } from "./gateway-check.ts";
import { readGatewayConfig } from "./gateway-config.ts";
import { createServiceManager } from "./service-manager.ts";

// Program of a gateway package, bundled into dist/gateway.js: `dormouse gateway` without the rest of the command line.

const stop = new AbortController();
const complain = (sentence: string): void => {
  process.stderr.write(`${plainText(`dormouse gateway: ${textWithoutSecrets(sentence)}`)}\n`);
};
let outputCode: number | undefined;
watchOutput((code, sentence) => {
  outputCode = code;
  if (sentence !== undefined) complain(sentence);
  stop.abort();
  endSoon(code);
});
watchUncaught((error) => complain(`unexpected: ${error instanceof Error ? error.message : String(error)}`));

const { values } = parseArgs({
  options: {
    agent: { type: "string" },
    config: { type: "string" },
    state: { type: "string", default: process.env.STATE_DIRECTORY },
    check: { type: "boolean", default: false },
  },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
const say = (line: string): void => {
  process.stdout.write(`${plainText(line)}\n`);
};

try {
  const { agent: defaultAgent, config: path, state, check } = values;
  if (path === undefined || (state === undefined && !check)) {
    throw new DormouseError(
      "SERVICE_USAGE",
      "usage: gateway.js --config FILE --state DIR (systemd's STATE_DIRECTORY when left out) [--agent NAME] [--check].",
    );
  }
  const config = readGatewayConfig(path);
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  const common = {
    config,
    defaultAgent,
    agentsFolder: join(packageRoot(), "agents"),
    cwd: process.cwd(),
    clock: systemClock,
    env: process.env,
  };
  if (check) {
    const findings = await checkGateway(common);
    for (const { what, result, text } of findings) say(`${result}: ${what}: ${text}`);
    endSoon(outputCode ?? (findings.some(({ result }) => result === "failed") ? 1 : 0));
  } else {
    await runGateway({
      ...common,
      readConfig: () => readGatewayConfig(path),
      stateFolder: state!,
      version,
      manager: createServiceManager(process.env, say),
      say,
      signal: stop.signal,
    });
    endSoon(outputCode ?? 0);
  }
} catch (error) {
  complain(error instanceof DormouseError ? error.message : String(error));
  endSoon(1);
}
