import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { bundledAgents, loadAgent, loadTextAgent, readsText } from "../../agent/registry.ts";
import { openConfirmation } from "../../cloud/open-teacher.ts";
import { Model } from "../../core/session/model.ts";
import { type CoreBuild, coreWasmBytes, instantiateCore } from "../../core/session/module.ts";
import type { EngineName } from "../../core/session/session-types.ts";
import { ModelError } from "../../core/system/errors.ts";
import { createRandom } from "../../core/system/random.ts";
import { bytesText } from "../../core/system/table.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { certificateExpiries, EXPIRY_WARNING_DAYS } from "../../mqtt/transport/certificate-expiry.ts";
import { openAdaptable } from "../../personalize/prior.ts";

/** One finding. `missing` is an optional thing that is not there; `warning` will have to be mended, `failed` must be. */
export interface DoctorCheck {
  readonly check: string;
  readonly state: "ok" | "missing" | "warning" | "failed";
  readonly detail: string;
  readonly mend?: string;
}

const NODE_MINIMUM = [20, 11] as const;
const ENGINES: readonly EngineName[] = ["scalar", "simd"];
const GOLDEN_FRAMES = 512;

export function nodeCheck(version = process.versions.node): DoctorCheck {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1]);
  if (isNew) return { check: "node", state: "ok", detail: version };
  return { check: "node", state: "failed", detail: `${version} is too old`, mend: `Install Node ${NODE_MINIMUM.join(".")} or newer.` };
}

/** Checks that the wasm builds load and have the host's ABI. */
export function coreChecks(): DoctorCheck[] {
  return (["scalar", "simd"] satisfies CoreBuild[]).map((build) =>
    attempt(`core ${build}`, () => {
      instantiateCore(build);
      return `${bytesText(coreWasmBytes(build))}, loads`;
    }),
  );
}

/** Every shipped image is intact, and every engine gives the same bits on it. */
export async function agentChecks(): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const name of bundledAgents()) {
    if (await readsText(name)) {
      checks.push(await attemptAsync(`agent ${name}`, () => checkTextAgent(name)));
      continue;
    }
    const agent = await loadAgent(name);
    if (!existsSync(agent.modelPath)) {
      checks.push({ check: `agent ${name}`, state: "failed", detail: "no model", mend: `Train it: dormouse train ${name}.` });
      continue;
    }
    for (const path of [agent.modelPath, ...agent.teacherPaths]) {
      const file = path.slice(agent.folder.length + 1);
      checks.push(await attemptAsync(`agent ${name} ${file}`, async () => `intact, ${(await Model.open(path)).imageHash.slice(0, 12)}`));
    }
    const { confirmationPath, definition } = agent;
    if (confirmationPath !== undefined)
      checks.push(
        await attemptAsync(
          `agent ${name} ${definition.confirmation}`,
          async () => `intact, ${openConfirmation(agent, confirmationPath).name}`,
        ),
      );
    if (agent.priorPath !== undefined) checks.push(await attemptAsync(`agent ${name} ${agent.definition.prior}`, () => checkPrior(agent)));
    checks.push(await attemptAsync(`agent ${name} engines`, () => compareEngines(agent.modelPath)));
  }
  return checks;
}

/** A text agent's image is intact, has the intents that its definition names, and both builds give the same bits on it. */
async function checkTextAgent(name: string): Promise<string> {
  const { modelPath, definition } = await loadTextAgent(name);
  const models = await Promise.all((["scalar", "simd"] as const).map((build) => IntentModel.open(modelPath, build)));
  const { labels } = models[0]!.manifest;
  const unknown = [...definition.local, ...Object.keys(definition.answeredAs)].filter((intent) => !labels.includes(intent));
  if (unknown.length > 0)
    throw new ModelError("INTENT_UNKNOWN", `its model has no intent ${unknown.join(", ")}: mend agent.ts, or train the model with them.`);
  for (const text of labels) {
    const [scalar, simd] = models.map((model) => JSON.stringify([model.classify(text), [...model.logits()]]));
    if (scalar !== simd) throw new ModelError("ENGINES_DIFFER", `they differ on "${text}". This build of the core must not be used.`);
  }
  return `intact, ${models[0]!.imageHash.slice(0, 12)}, scalar = simd on ${labels.length} texts`;
}

async function checkPrior({ definition, modelPath, priorPath }: LoadedAgent): Promise<string> {
  const { prior } = openAdaptable(definition.name, (await Model.open(modelPath)).image, priorPath);
  return `${prior.deviations.length} statistics`;
}

async function compareEngines(path: string): Promise<string> {
  const hashes = await Promise.all(ENGINES.map(async (engine) => goldenHash(await Model.open(path, { engine }))));
  if (new Set(hashes).size === 1) return `${ENGINES.join(" = ")}, ${hashes[0]!.slice(0, 12)}`;
  const list = ENGINES.map((engine, i) => `${engine} ${hashes[i]!.slice(0, 12)}`);
  throw new ModelError("ENGINES_DIFFER", `they differ: ${list.join(", ")}. This build of the core must not be used.`);
}

/** SHA-256 over the logits of every exit and the state after a fixed walk of pseudo-random frames. */
export function goldenHash(model: Model): string {
  const { channels } = model.image;
  const session = model.createSession();
  const random = createRandom(1);
  const frame = new Int16Array(channels);
  const hash = createHash("sha256");
  for (let tick = 0; tick < GOLDEN_FRAMES; tick++) {
    for (let c = 0; c < channels; c++) frame[c] = random.integer(8192) - 4096;
    session.pushFrame(frame, tick);
    if (tick % 128 === 127) for (const logits of session.logits()) hash.update(new Uint8Array(logits.slice().buffer));
  }
  return hash.update(session.snapshot()).digest("hex");
}

/** How long the certificates of an identity's folder hold. */
export function certificateChecks(tls: { readonly cert: string; readonly ca: string }, wallMillis: number): DoctorCheck[] {
  return certificateExpiries(tls, wallMillis).map(({ what, daysLeft, notAfter }): DoctorCheck => {
    const mend = "Make new ones with dormouse provision and replace the files: running nodes use them at their next connection.";
    if (daysLeft < 0) return { check: what, state: "failed", detail: `expired on ${notAfter}`, mend };
    const detail = `until ${notAfter}, ${daysLeft} days`;
    return daysLeft < EXPIRY_WARNING_DAYS ? { check: what, state: "warning", detail, mend } : { check: what, state: "ok", detail };
  });
}

const TOOLS = [
  { tool: "mosquitto", use: "a production broker, also for tests", mend: "sudo apt-get install mosquitto" },
  { tool: "wasm2c", use: "firmware: wasm to C", mend: "sudo apt-get install wabt" },
  { tool: "gcc", use: "firmware for this machine", mend: "sudo apt-get install gcc" },
  {
    tool: "arm-none-eabi-gcc",
    use: "firmware for microcontrollers",
    mend: "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
  },
  { tool: "qemu-system-arm", use: "emulating boards", mend: "sudo apt-get install qemu-system-arm" },
  { tool: "dpkg-deb", use: "installing a gateway's package here", mend: "sudo apt-get install dpkg" },
] as const;

/** Optional programs on the PATH. */
export function toolChecks(path: string): DoctorCheck[] {
  const checks = TOOLS.map(({ tool, use, mend }): DoctorCheck => {
    const found = [...path.split(delimiter), "/usr/sbin"].map((folder) => join(folder, tool)).find((file) => existsSync(file));
    if (found !== undefined) return { check: tool, state: "ok", detail: found };
    return { check: tool, state: "missing", detail: `not installed (optional: ${use})`, mend };
  });
  const compiler = checks.find(({ check, state }) => check === "arm-none-eabi-gcc" && state === "ok");
  return compiler === undefined ? checks : [...checks, newlibCheck(compiler.detail)];
}

/** Finds the C library through the compiler: it is not a program. */
function newlibCheck(compiler: string): DoctorCheck {
  const { stdout } = spawnSync(compiler, ["-print-file-name=libc.a"], { encoding: "utf8" });
  const path = stdout?.trim() ?? "";
  if (existsSync(path)) return { check: "newlib", state: "ok", detail: path };
  const mend = "sudo apt-get install libnewlib-arm-none-eabi";
  return { check: "newlib", state: "missing", detail: "not installed (optional: firmware for microcontrollers)", mend };
}

function attempt(check: string, run: () => string): DoctorCheck {
  try {
    return { check, state: "ok", detail: run() };
  } catch (error) {
    return failed(check, error);
  }
}

async function attemptAsync(check: string, run: () => Promise<string>): Promise<DoctorCheck> {
  try {
    return { check, state: "ok", detail: await run() };
  } catch (error) {
    return failed(check, error);
  }
}

function failed(check: string, error: unknown): DoctorCheck {
  return {
    check,
    state: "failed",
    detail: error instanceof Error ? error.message : String(error),
    mend: "Install Dormouse again, or run npm run build.",
  };
}
