import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../core/system/clock.ts";
import { DormouseError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import { plainText } from "../core/system/plain-text.ts";
import { endSoon, watchOutput, watchUncaught } from "../core/system/process-end.ts";
import { textWithoutSecrets } from "../core/system/secrets.ts";
import { runService } from "./service.ts";
import { readServiceConfig } from "./service-config.ts";
import { createServiceManager } from "./service-manager.ts";

// Program of a gateway image: one agent as a service, bundled into dist/gateway.js.

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
  options: { agent: { type: "string" }, config: { type: "string" }, state: { type: "string", default: process.env.STATE_DIRECTORY } },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
const say = (line: string): void => {
  process.stdout.write(`${plainText(line)}\n`);
};

try {
  const { agent, config, state } = values;
  if (agent === undefined || config === undefined || state === undefined) {
    throw new DormouseError(
      "SERVICE_USAGE",
      "usage: gateway.js --agent NAME --config FILE --state DIR (systemd's STATE_DIRECTORY when left out).",
    );
  }
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  await runService({
    config: readServiceConfig(config),
    readConfig: () => readServiceConfig(config),
    agentFolder: join(packageRoot(), "agents", agent),
    stateFolder: state,
    version,
    clock: systemClock,
    env: process.env,
    manager: createServiceManager(process.env, say),
    say,
    signal: stop.signal,
  });
  endSoon(outputCode ?? 0);
} catch (error) {
  complain(error instanceof DormouseError ? error.message : String(error));
  endSoon(1);
}
