/** How a label is said: "you are …", "you … for"; and the words by which a question names it. */
interface ActivityWords {
  readonly label: string;
  readonly doing: string;
  readonly asked: RegExp;
}

/** The labels of `activity`; the first whose words a question has is the one that it asks about. */
const WORDS: readonly ActivityWords[] = [
  { label: "downstairs", doing: "walking downstairs", asked: /\bdown ?stairs\b|\bdown the stairs\b|\bdescend/i },
  { label: "upstairs", doing: "climbing stairs", asked: /\bup ?stairs\b|\bstair|\bclimb|\bascend/i },
  { label: "sitting", doing: "sitting", asked: /\bsit|\bsat\b|\bseat|\bchair\b|\bdesk\b|\bcouch\b|\bsofa\b/i },
  { label: "standing", doing: "standing", asked: /\bstand|\bstood\b|\bon my feet\b/i },
  {
    label: "laying",
    doing: "lying down",
    asked: /\blying\b|\blie\b|\blay|\blaid\b|\blain\b|\bin bed\b|\bresting\b|\bsleep|\basleep\b|\bslept\b/i,
  },
  { label: "walking", doing: "walking", asked: /\bwalk|\bstroll|\bstep/i },
  { label: "transition", doing: "changing posture", asked: /\btransition/i },
];

/** The label as an activity: "laying" is "lying down". */
export function doingText(label: string): string {
  return WORDS.find((one) => one.label === label)?.doing ?? label;
}

/** The label that a question names; undefined: none. */
export function askedLabel(question: string): string | undefined {
  return WORDS.find(({ asked }) => asked.test(question))?.label;
}

/** A length of time for people, whole seconds: "24 s", "20 min 34 s", "1 h 5 min". */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
