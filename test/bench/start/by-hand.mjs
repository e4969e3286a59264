// A first decision without the library, as short as it can be: what the library's own start is compared with.
import { readFileSync } from "node:fs";

const [, , root] = process.argv;
const image = readFileSync(`${root}/agents/activity/model.dmm`);
const compiled = new WebAssembly.Module(readFileSync(`${root}/dist/core-simd.wasm`));
const core = new WebAssembly.Instance(compiled, { env: { abort() {} } }).exports;
core._initialize();
const at = core.memoryBase();
const arena = (at + image.length + 15) & ~15;
const arenaBytes = 1 << 16;
core.memory.grow(Math.ceil(Math.max(0, arena + arenaBytes - core.memory.buffer.byteLength) / 65536));
new Uint8Array(core.memory.buffer).set(image, at);
if (core.prepare(at, image.length, arena, arenaBytes) !== 0) throw new Error("the core refuses the image");
const frame = new Int16Array(core.memory.buffer, core.framePtr(arena), 6);
let hasDecided = 0;
for (let tick = 1; tick <= 128 && hasDecided === 0; tick++) {
  frame.set([1840, -120, 300, 12, -4, 7]);
  hasDecided = core.pushFrame(arena, tick);
}
if (hasDecided === 0) throw new Error("no decision in 128 frames");
