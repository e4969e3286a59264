/** Processor time of this process so far. On a shared machine, wall time does not measure a core's speed. */
export function cpuMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
