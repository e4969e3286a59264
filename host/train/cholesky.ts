/** Lower factor (size, size) of a positive definite matrix whose lower half is given. */
export function cholesky(matrix: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let r = 0; r < size; r++)
    for (let c = 0; c <= r; c++) {
      let sum = matrix[r * size + c]!;
      for (let k = 0; k < c; k++) sum -= out[r * size + k]! * out[c * size + k]!;
      out[r * size + c] = r === c ? Math.sqrt(sum) : sum / out[c * size + c]!;
    }
  return out;
}

/** x with L·Lᵀ·x = y. */
export function solve(factor: Float64Array, y: Float64Array): Float64Array {
  const size = y.length;
  const x = y.slice();
  for (let r = 0; r < size; r++) {
    for (let k = 0; k < r; k++) x[r]! -= factor[r * size + k]! * x[k]!;
    x[r]! /= factor[r * size + r]!;
  }
  for (let r = size - 1; r >= 0; r--) {
    for (let k = r + 1; k < size; k++) x[r]! -= factor[k * size + r]! * x[k]!;
    x[r]! /= factor[r * size + r]!;
  }
  return x;
}
