/** How long a worker takes for a batch, as measured: milliseconds by batch size, ascending; between two sizes it is a line. */
export type ServiceCurve = readonly { readonly asks: number; readonly millis: number }[];

export interface WorkerLoad {
  readonly arrivalsPerSecond: number; // at one worker
  readonly service: ServiceCurve;
  readonly batchLimit: number;
  readonly queueLimit: number;
  readonly seconds: number; // simulated, after a tenth of it to settle
  /** Uniform in [0, 1), seeded. */
  readonly random: () => number;
}

export interface LoadResult {
  readonly utilisation: number; // share of the time that the worker computes
  readonly meanBatch: number;
  readonly meanMillis: number; // from arrival to answer
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly refusedShare: number; // found the queue full
}

export function serviceMillis(curve: ServiceCurve, asks: number): number {
  const above = curve.findIndex((point) => point.asks >= asks);
  if (above === 0) return curve[0]!.millis;
  const right = curve[above < 0 ? curve.length - 1 : above]!;
  const left = curve[above < 0 ? curve.length - 2 : above - 1] ?? { asks: 0, millis: 0 };
  return left.millis + ((right.millis - left.millis) * (asks - left.asks)) / (right.asks - left.asks);
}

/**
 * One worker, event by event: asks arrive as a Poisson stream (many devices that know nothing of each other), it takes all that wait
 * up to the batch limit, and answers them together. A shared subscription hands asks out in turn or by chance, with no common queue,
 * so a fleet is N of these, each with an N-th of the arrivals.
 */
export function simulateWorker(load: WorkerLoad): LoadResult {
  const { arrivalsPerSecond, service, batchLimit, queueLimit, random } = load;
  const meanGapMillis = 1000 / arrivalsPerSecond;
  const settleMillis = load.seconds * 100;
  const endMillis = settleMillis + load.seconds * 1000;
  const gap = () => -meanGapMillis * Math.log(1 - random());
  const waiting: number[] = []; // arrival times
  let head = 0;
  const latencies: number[] = [];
  let next = gap();
  let now = 0;
  let busyMillis = 0;
  let batches = 0;
  let arrived = 0;
  let refused = 0;
  const arrive = (until: number) => {
    for (; next <= until; next += gap()) {
      if (next >= settleMillis) arrived++;
      if (waiting.length - head < queueLimit) waiting.push(next);
      else if (next >= settleMillis) refused++;
    }
  };
  while (now < endMillis) {
    if (waiting.length === head) now = Math.max(now, next);
    arrive(now);
    const batch = Math.min(batchLimit, waiting.length - head);
    const took = serviceMillis(service, batch);
    arrive(now + took);
    now += took;
    if (now >= settleMillis) {
      busyMillis += took;
      batches++;
      for (let i = head; i < head + batch; i++) latencies.push(now - waiting[i]!);
    }
    head += batch;
    if (head > 65_536) {
      waiting.splice(0, head);
      head = 0;
    }
  }
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? 0;
  return {
    utilisation: Math.min(1, busyMillis / (now - settleMillis)),
    meanBatch: latencies.length / Math.max(1, batches),
    meanMillis: latencies.reduce((sum, millis) => sum + millis, 0) / Math.max(1, latencies.length),
    p50Millis: quantile(0.5),
    p99Millis: quantile(0.99),
    refusedShare: refused / Math.max(1, arrived),
  };
}

export interface SizingOptions extends Omit<WorkerLoad, "arrivalsPerSecond"> {
  readonly arrivalsPerSecond: number; // of the whole fleet, at its peak
  readonly p99Millis: number; // to be kept
  readonly reserve: number; // share of the workers that may be away at the peak, the latency still kept
}

/**
 * The fewest workers that keep the latency with the reserve away, and what each sees with all there. Not utilisation but the rest of
 * the workers' latency is what counts: one that answers in batches is busy long before it is full.
 */
export function sizeWorkers(options: SizingOptions): LoadResult & { readonly workers: number } {
  const tryWith = (workers: number) => simulateWorker({ ...options, arrivalsPerSecond: options.arrivalsPerSecond / workers });
  const suffices = (workers: number) => {
    const { p99Millis, refusedShare } = tryWith(workers * (1 - options.reserve));
    return p99Millis <= options.p99Millis && refusedShare === 0;
  };
  let most = 1;
  while (!suffices(most) && most < MAX_WORKERS) most *= 2;
  let least = most >> 1; // known not to suffice, or 0
  while (most - least > 1) {
    const middle = (least + most) >> 1;
    if (suffices(middle)) most = middle;
    else least = middle;
  }
  return { workers: most, ...tryWith(most) };
}

const MAX_WORKERS = 1 << 16;
