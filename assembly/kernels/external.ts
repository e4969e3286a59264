// The kernels that firmware may link in C instead (boards/common/kernels.c), under the target that defines LINK_KERNELS. Same contracts,
// same bits; whole kernels, for a call's glue costs a dozen instructions. Every other build has no import.

@external("kernels", "linear_s8")
export declare function linearS8(x: usize, w: usize, b: usize, acc: usize, nIn: i32, nOut: i32): void;

@external("kernels", "requantize_s8")
export declare function requantizeS8(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32): void;

@external("kernels", "requantize_s16")
export declare function requantizeS16(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32): void;

@external("kernels", "requantize_add_s16")
export declare function requantizeAddS16(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32): void;

@external("kernels", "rms_norm")
export declare function rmsNorm(x: usize, y: usize, n: i32, epsilon: i32): void;

@external("kernels", "conv1d_s8")
export declare function conv1dS8(
  state: usize, x: usize, w: usize, bias: usize, multiplier: usize, shift: usize, table: usize, y: usize, channels: i32, taps: i32,
): void;

@external("kernels", "selective_scan")
export declare function selectiveScan(
  tables: usize, raw: usize, b: usize, c: usize, u: usize, aLog2: usize, d: usize, state: usize, dtB: usize, y: usize,
  nHeads: i32, headDim: i32, dState: i32, scanShift: i32, multiplier: i32, shift: i32,
): void;

@external("kernels", "gate_s16")
export declare function gateS16(y: usize, z: usize, table: usize, n: i32): void;

@external("kernels", "attention_s8")
export declare function attentionS8(
  tables: usize, q: usize, k: usize, v: usize, scores: usize, y: usize, n: i32, nHeads: i32, nKvHeads: i32, headDim: i32,
  scoreMultiplier: i32, scoreShift: i32, outMultiplier: i32, outShift: i32,
): void;

@external("kernels", "gated_s8")
export declare function gatedS8(g: usize, u: usize, table: usize, y: usize, n: i32, multiplier: i32, shift: i32): void;
