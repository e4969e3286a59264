export type AgentKind = "imu" | "csv";

interface NewAgentOptions {
  /** The agent's folder, as its README's command lines name it. */
  readonly folder: string;
  /** CSV recordings that are there already. */
  readonly data?: string;
  /** Of those recordings. */
  readonly shape?: { readonly rateHz: number; readonly channels: number };
}

/** The files of a new agent's folder, by name. */
export function newAgentFiles(name: string, kind: AgentKind, options: NewAgentOptions): Readonly<Record<string, string>> {
  return { "agent.ts": agentSource(name, kind, options), "README.md": readmeText(name, kind, options), ".gitignore": GITIGNORE };
}

const GITIGNORE = `# Recordings are of people, and trainings are large: keep both out of the repository unless you decide otherwise.
recordings/
runs/
`;

function agentSource(name: string, kind: AgentKind, { shape }: NewAgentOptions): string {
  const { rateHz, channels } = shape ?? { rateHz: 50, channels: kind === "imu" ? 6 : 3 };
  const sensor =
    kind === "imu"
      ? `  // A frame is ax ay az (g) gx gy gz (°/s). Write down where the sensor sits: a model is of one place and one orientation.
  sensor: { kind: "imu", rateHz: ${rateHz}, channels: 6, orientation: "say where it sits, and which way each axis points" },`
      : `  // Rate and number of channels must be those of the recordings.
  sensor: { kind: "custom", rateHz: ${rateHz}, channels: ${channels}, orientation: "say where the sensor sits" },`;
  return `import { defineAgent } from "dormouse-edge";

export default defineAgent({
  name: ${JSON.stringify(name)},
  description: "Say in one sentence what it tells apart.",
  model: "runs/seed-1/model.dmm", // train writes it
  data: "csv",
${sensor}
  events: { stableDecisions: 2 }, // sure decisions in a row before a change is told
});
`;
}

function readmeText(name: string, kind: AgentKind, { folder, data, shape }: NewAgentOptions): string {
  const recordings = data ?? `${folder}/recordings`;
  const record =
    kind === "imu"
      ? `1. **Record** five persons or more, each a few minutes per label. A key chooses the label; \`u\` takes the last five seconds back.

   \`\`\`
   npx dormouse capture ${folder} --sensor serial:/dev/ttyACM0 --wearer 1 --labels walk,sit,stand
   npx dormouse capture ${folder} --phone --wearer 2 --labels walk,sit,stand
   \`\`\``
      : `1. **Record** five persons (or machines) or more: one CSV file per recording in \`${recordings}\`, named \`s01-1.csv\`, \`s02-1.csv\` and so on.

   \`\`\`csv
   time,ax[g],ay[g],az[g],label
   0.00,0.98,-0.05,0.14,walk
   0.02,0.97,-0.06,0.15,walk
   \`\`\``;
  return `# ${name}

An agent for Dormouse. \`agent.ts\` declares it; the model is trained from recordings.

${record}
2. **Train** it: \`--steps 150\` in a minute to try the way, without it for use.

   \`\`\`
   npx dormouse train --data ${recordings} --name ${name} --out ${folder}/runs --rate ${shape?.rateHz ?? 50}
   \`\`\`
3. **Score** it on persons that training never saw, and let a day pass.

   \`\`\`
   npx dormouse eval ${folder} --data ${recordings}
   npx dormouse simulate ${folder} --data ${recordings}
   \`\`\`
4. **Put it on a board**, and compare each decision with this machine's in an emulator.

   \`\`\`
   npx dormouse fits ${folder} --board pico
   npx dormouse build ${folder} --board pico --out firmware
   npx dormouse emulate ${folder} --board pico --data ${recordings} --windows 20
   \`\`\`
`;
}
