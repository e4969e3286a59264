/** The colours of the style sheet for a canvas, which knows no variables. Read again when the reader's setting changes. */
export interface Theme {
  readonly ink: string;
  readonly soft: string;
  readonly grid: string;
  readonly card: string;
  readonly limit: string;
  readonly warn: string;
  /** Of series and labels, in order. */
  readonly colours: readonly string[];
}

const COLOURS = 7; // the eighth is red, as limits and alarms are

export let theme: Theme = readTheme();

function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ...{ ink: of("--ink"), soft: of("--soft"), grid: of("--grid"), card: of("--card"), limit: of("--limit"), warn: of("--c1") },
    colours: Array.from({ length: COLOURS }, (_, i) => of(`--c${i}`)),
  };
}

/** Calls back when light turns to dark or back. */
export function onThemeChange(run: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    theme = readTheme();
    run();
  });
}

/** The colour of a label; none has that of soft text. */
export function labelColour(label: number): string {
  return label < 0 ? theme.soft : theme.colours[label % COLOURS]!;
}

/** The same as a style sheet's variable. */
export function labelVariable(label: number): string {
  return label < 0 ? "var(--soft)" : `var(--c${label % COLOURS})`;
}
