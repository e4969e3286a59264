/** How fast frames may pass. Whoever holds it may change it while they do. */
export interface PaceControl {
  /** Sensor seconds per second; Infinity = unpaced. */
  readonly speed: number;
  readonly isPaused: boolean;
  /** Sensor seconds that have passed. */
  readonly seconds: number;
  setSpeed(speed: number): void;
  pause(): void;
  resume(): void;
  /** While paused: lets one hop pass. */
  step(): void;
  /** Passes frames unpaced up to this sensor second, then goes on as before. */
  hurryTo(seconds: number): void;
}

/** The other end of a pace control: what paces the frames. */
export interface SteeredPace extends PaceControl {
  /** Sensor seconds so far. Returns true while they need not be waited for. */
  pass(seconds: number): boolean;
  /** Takes a step that was asked for; false: there is none. */
  takeStep(): boolean;
  /** Calls back at every change; the returned function stops that. */
  onChange(run: () => void): () => void;
}

export function createPaceControl(startSpeed: number): SteeredPace {
  const listeners = new Set<() => void>();
  let speed = startSpeed;
  let isPaused = false;
  let hasStep = false;
  let seconds = 0;
  let hurrySeconds = 0;
  const tell = (): void => {
    for (const run of [...listeners]) run();
  };
  return {
    get speed() {
      return speed;
    },
    get isPaused() {
      return isPaused;
    },
    get seconds() {
      return seconds;
    },
    setSpeed(next) {
      speed = next;
      tell();
    },
    pause() {
      isPaused = true;
      hurrySeconds = 0;
      tell();
    },
    resume() {
      isPaused = false;
      tell();
    },
    step() {
      hasStep = true;
      tell();
    },
    hurryTo(to) {
      hurrySeconds = to;
      tell();
    },
    pass(at) {
      seconds = at;
      return at < hurrySeconds;
    },
    takeStep() {
      const had = hasStep;
      hasStep = false;
      return had;
    },
    onChange(run) {
      listeners.add(run);
      return () => listeners.delete(run);
    },
  };
}
