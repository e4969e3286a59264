/** Processor time of this process so far. On a machine that others use too, wall time says little of what a core can do. */
export function cpuMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
