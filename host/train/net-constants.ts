/** Real value of one step of the int8 input: the net sees q · INPUT_SCALE, of deviation about 1 for steps of 1/64 g and 1 °/s. */
export const INPUT_SCALE = 1 / 24;
/** Real value of one int8 step of a norm's output (FIXED_NORM_ONE = 32). */
export const NORM_SCALE = 1 / 32;
/** Added to the mean square of every norm. */
export const NORM_EPSILON = 1e-5;
/** Bounds of A = exp(logA), and of the raw Δ (int16 Q12). */
export const A_MIN = 1 / 8;
export const A_MAX = 16;
export const DT_RAW_LIMIT = 8;
/** Positions that the scan and the attention handle at once; a sequence is a multiple of it. */
export const CHUNK_PATCHES = 32;
