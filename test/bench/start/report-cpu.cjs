// Preloaded into each measured process: its CPU time and peak memory, when it ends, on a descriptor of its own.
const { writeSync } = require("node:fs");
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, JSON.stringify({ cpuMillis: (user + system) / 1000, peakMiB: process.resourceUsage().maxRSS / 1024 }));
});
