import { localDay } from "../diary/local-day.ts";

const NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(" "); // biome-ignore format: a list
const TENS: Readonly<Record<string, number>> = { twenty: 20, thirty: 30, forty: 40, fifty: 50 };
const NUMBER = `\\d{1,4}|(?:twenty|thirty|forty|fifty)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|${NUMBERS.slice(1).join("|")}|an?|half an`;
const HALF = "(?: ?([ap])\\.? ?m\\b\\.?|[' ]?o ?'?clock)?";

const AGO = new RegExp(`\\b(${NUMBER}) (minute|min|hour|h|hr)s? ago\\b`, "i");
const CLOCK = new RegExp(`\\b(\\d{1,2})[:.h](\\d{2})(?!\\d)${HALF}`, "i");
const PAST = new RegExp(`\\b(half|quarter|${NUMBER})(?: minutes?)? (past|after|to|before) (${NUMBER})(?:\\b|(?=[ap]\\.? ?m))${HALF}`, "i");
const HOUR = new RegExp(`\\b(?:at|around|about|by|since|from)? ?(${NUMBER})(?:\\b|(?=[ap]\\.? ?m))${HALF}`, "gi");

/** The wall time that a question names, the latest that is not after `nowMillis`; undefined: it names none. */
export function askedTime(question: string, nowMillis: number): number | undefined {
  const ago = AGO.exec(question);
  if (ago !== null) return nowMillis - numberOf(ago[1]!) * (/^h/i.test(ago[2]!) ? 3_600_000 : 60_000);
  const half = halfOfDay(question);
  if (/\bnoon\b|\bmidday\b/i.test(question)) return latest(12, 0, "p", nowMillis);
  if (/\bmidnight\b/i.test(question)) return latest(12, 0, "a", nowMillis);
  const clock = CLOCK.exec(question);
  if (clock !== null) return latest(Number(clock[1]), Number(clock[2]), clock[3] ?? half, nowMillis);
  const past = PAST.exec(question);
  if (past !== null) {
    const minutes = /half/i.test(past[1]!) ? 30 : /quarter/i.test(past[1]!) ? 15 : numberOf(past[1]!);
    const isBefore = /to|before/i.test(past[2]!);
    const hour = numberOf(past[3]!) - (isBefore ? 1 : 0);
    return latest(hour, isBefore ? 60 - minutes : minutes, past[4] ?? half, nowMillis);
  }
  const hour = [...question.matchAll(HOUR)].find(
    ([whole, number]) => !/^an?$/i.test(number!) && /^(?:at|around|about|by|since|from)|m\.?$|clock$/i.test(whole.trim()),
  );
  return hour === undefined ? undefined : latest(numberOf(hour[1]!), 0, hour[2] ?? half, nowMillis);
}

/** Morning or afternoon, where the question says it in words. */
function halfOfDay(question: string): string | undefined {
  if (/\bmorning\b/i.test(question)) return "a";
  return /\bafternoon\b|\bevening\b|\btonight\b/i.test(question) ? "p" : undefined;
}

function numberOf(word: string): number {
  const text = word.toLowerCase();
  if (/^\d+$/.test(text)) return Number(text);
  if (text === "half an") return 0.5;
  if (/^an?$/.test(text)) return 1;
  const [tens, ones] = text.split(/[- ]/);
  if (TENS[tens!] !== undefined) return TENS[tens!]! + Math.max(0, NUMBERS.indexOf(ones ?? ""));
  return NUMBERS.indexOf(text);
}

/** Today's or yesterday's moment of that clock time, whichever is the last that has passed. Without a or p both halves of the day count. */
function latest(hour: number, minute: number, half: string | undefined, nowMillis: number): number | undefined {
  if (hour < 0 || hour > 24 || minute > 59) return undefined;
  const isHalved = hour >= 1 && hour <= 12;
  const hours = !isHalved
    ? [hour % 24]
    : half === undefined
      ? [hour % 12, (hour % 12) + 12]
      : [(hour % 12) + (half.toLowerCase() === "p" ? 12 : 0)];
  const today = localDay(nowMillis);
  const yesterday = localDay(today.startMillis - 1);
  const moments = [today, yesterday].flatMap(({ startMillis }) => {
    const date = new Date(startMillis);
    return hours.map((of) => new Date(date.getFullYear(), date.getMonth(), date.getDate(), of, minute).getTime());
  });
  const gone = moments.filter((moment) => moment <= nowMillis);
  return gone.length === 0 ? undefined : Math.max(...gone);
}
