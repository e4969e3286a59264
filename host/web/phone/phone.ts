import type { PhoneSample, PhoneState } from "../phone-messages.ts";

// The page on a phone: reads its motion sensors and sends them to the capture that showed the QR code.

/** Batches are small, so that the countdown on the phone is right to a tenth of a second. */
const SEND_MILLIS = 200;
/** Samples that may wait while the network is slow: ten seconds at 60 per second. */
const MOST_WAITING = 600;
/** Samples in one message. */
const BATCH = 200;
/** A phone that has sent no motion by then has no sensor that a page can read. */
const SILENCE_MILLIS = 3000;
const STANDARD_GRAVITY = 9.80665; // m/s² per g

/** iOS asks for a permission; other phones have no such function. */
type Permission = { requestPermission?: () => Promise<"granted" | "denied"> };

const element = (id: string): HTMLElement => document.getElementById(id)!;
const waiting: PhoneSample[] = [];
/** iOS reports accelerations with the opposite sign of the specification's. */
const sign =
  /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1) ? -1 : 1;
let lost = 0;
let isSending = false;
let sensorTrouble = ""; // what the last event lacked

function say(id: string, text: string): void {
  const line = element(id);
  line.hidden = text === "";
  if (line.textContent !== text) line.textContent = text;
}

async function start(): Promise<void> {
  say("trouble", "");
  if (!globalThis.isSecureContext)
    return say("trouble", "This page was not opened over https, so the browser hides the motion sensor. Scan the code again.");
  const Motion = globalThis.DeviceMotionEvent as (typeof DeviceMotionEvent & Permission) | undefined;
  if (Motion === undefined)
    return say("trouble", "This browser offers no motion sensor to pages. Open the address in Safari, Chrome or Firefox on a phone.");
  try {
    if ((await Motion.requestPermission?.()) === "denied")
      return say("trouble", "Motion access was refused, so nothing can be recorded. Close this tab, scan a new code and tap Allow.");
  } catch {
    return say("trouble", "The browser asks for motion access only after a tap. Tap Start again.");
  }
  element("start").hidden = true;
  say("phase", "Waiting for the motion sensor …");
  let hasMotion = false;
  addEventListener("devicemotion", (event) => {
    hasMotion = true;
    take(event);
  });
  setTimeout(() => {
    if (!hasMotion)
      say("trouble", "The phone sends no motion: it has no sensor, or the browser's settings forbid motion sensors for this page.");
  }, SILENCE_MILLIS);
  void navigator.wakeLock?.request("screen").catch(() => {}); // a dark screen would end the motion
  setInterval(() => void send(), SEND_MILLIS);
}

function take({ accelerationIncludingGravity: pull, rotationRate: turn, timeStamp }: DeviceMotionEvent): void {
  const values = [pull?.x, pull?.y, pull?.z, turn?.alpha, turn?.beta, turn?.gamma]; // alpha, beta, gamma: about x, y, z, in degrees per second
  const missing = values.findIndex((value) => typeof value !== "number");
  sensorTrouble =
    missing < 0 ? "" : `This phone has no ${missing < 3 ? "accelerometer" : "gyroscope"}, and an IMU agent needs both. Use another phone.`;
  if (missing >= 0) {
    say("trouble", sensorTrouble);
    return;
  }
  const [ax, ay, az, gx, gy, gz] = values as number[];
  const g = (value: number): number => (sign * value) / STANDARD_GRAVITY;
  const sample: PhoneSample = [timeStamp, g(ax!), g(ay!), g(az!), gx!, gy!, gz!];
  if (waiting.push(sample) > MOST_WAITING) {
    waiting.shift();
    lost++;
  }
  const text = (value: number): string => value.toFixed(2);
  say("values", `x ${text(sample[1])} g, y ${text(sample[2])} g, z ${text(sample[3])} g`);
}

/** Sends what waits, one message at a time. */
async function send(): Promise<void> {
  if (isSending) return;
  isSending = true;
  const samples = waiting.splice(0, BATCH);
  try {
    show(await post("samples", { samples, lost }));
    lost = 0;
  } catch (error) {
    waiting.unshift(...samples);
    say(
      "trouble",
      error instanceof TypeError
        ? "The computer does not answer: is the capture still running? Trying again …"
        : String((error as Error).message),
    );
  } finally {
    isSending = false;
  }
}

async function post(act: string, body: object): Promise<PhoneState> {
  const response = await fetch(`act/${act}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error((await response.text()).trim());
  return (await response.json()) as PhoneState;
}

function show({ agent, phase, label, labels, trouble }: PhoneState): void {
  say("agent", agent);
  say("phase", phase);
  say("trouble", sensorTrouble || trouble);
  const list = element("labels");
  list.hidden = false;
  if (list.childElementCount === 0)
    for (const [text, key] of [...labels.map((one, i) => [one, String(i + 1)]), ["Pause", " "], ["Undo 5 s", "u"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text!;
      button.addEventListener("click", () => void post("key", { key }).then(show, (error: Error) => say("trouble", error.message)));
      list.append(button);
    }
  for (const [i, button] of [...list.children].entries())
    button.setAttribute("aria-pressed", String(labels[i] !== undefined && labels[i] === label));
}

element("start").addEventListener("click", () => void start());
