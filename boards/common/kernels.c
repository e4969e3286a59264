/*
 * The core's kernels in C, linked in where a build asks for them: the same contracts and the same bits as assembly/kernels/, whose headers say what
 * each argument is. Cores with the DSP extension use SMLAD, SXTB16 and SMMLAR. The portable C library links them, too.
 * Never compile this with -ffreestanding: memcpy(p, 4) would become a call.
 */
#include <stdint.h>
#include "fixed-point.h"
#include "kernel-memory.h"

void Z_kernelsZ_requantize_s8(KERNELS, uint32_t acc, uint32_t multiplier, uint32_t shift, uint32_t y, uint32_t n) {
  const int32_t *a = FROM(acc, 4 * n), *m = FROM(multiplier, 4 * n);
  const int8_t *s = FROM(shift, n);
  int8_t *to = TO(y, n);
  for (const int32_t *end = a + n; a < end;) *to++ = (int8_t)clamp_s8(requantize(*a++, *m++, *s++));
}

void Z_kernelsZ_requantize_s16(KERNELS, uint32_t acc, uint32_t multiplier, uint32_t shift, uint32_t y, uint32_t n) {
  const int32_t *a = FROM(acc, 4 * n), *m = FROM(multiplier, 4 * n);
  const int8_t *s = FROM(shift, n);
  int16_t *to = TO(y, 2 * n);
  for (const int32_t *end = a + n; a < end;) *to++ = (int16_t)clamp_s16(requantize(*a++, *m++, *s++));
}

void Z_kernelsZ_requantize_add_s16(KERNELS, uint32_t acc, uint32_t multiplier, uint32_t shift, uint32_t y, uint32_t n) {
  const int32_t *a = FROM(acc, 4 * n), *m = FROM(multiplier, 4 * n);
  const int8_t *s = FROM(shift, n);
  int16_t *to = TO(y, 2 * n);
  for (const int32_t *end = a + n; a < end; to++) *to = (int16_t)clamp_s16(*to + clamp_s16(requantize(*a++, *m++, *s++)));
}

static uint32_t isqrt(uint32_t v) {
  uint32_t rest = v, root = 0;
  for (uint32_t bit = 1u << 30; bit != 0; bit >>= 2) {
    uint32_t trial = root + bit;
    root >>= 1;
    if (rest >= trial) {
      rest -= trial;
      root += bit;
    }
  }
  return root;
}

void Z_kernelsZ_rms_norm(KERNELS, uint32_t x, uint32_t y, uint32_t n, uint32_t epsilon) {
  const int16_t *from = FROM(x, 2 * n), *end = from + n;
  int8_t *to = TO(y, n);
  uint64_t ss = epsilon;
  for (const int16_t *p = from; p < end; p++) ss += (uint32_t)(*p * *p);
  int32_t e = 64 - __builtin_clzll(ss) - 30;
  if (e & 1) e += 1;
  uint32_t v = e >= 0 ? (uint32_t)(ss >> e) : (uint32_t)(ss << -e);
  int32_t m = (int32_t)((isqrt(n << 20) << 15) / isqrt(v));
  uint32_t shift = 20u + (uint32_t)(e >> 1);
  int32_t half = 1 << (shift - 1);
  while (from < end) *to++ = (int8_t)clamp_s8((*from++ * m + half) >> shift);
}

void Z_kernelsZ_conv1d_s8(KERNELS, uint32_t state, uint32_t x, uint32_t w, uint32_t bias, uint32_t multiplier, uint32_t shift, uint32_t table,
                          uint32_t y, uint32_t channels, uint32_t taps) {
  uint32_t past = taps - 1;
  int8_t *s = TO(state, past * channels);
  const int8_t *now = FROM(x, channels), *k = FROM(w, taps * channels), *sh = FROM(shift, channels), *silu = FROM(table, 256);
  const int32_t *b = FROM(bias, 4 * channels), *m = FROM(multiplier, 4 * channels);
  int8_t *to = TO(y, channels);
  for (uint32_t c = 0; c < channels; c++) {
    int32_t acc = b[c] + k[past * channels + c] * now[c];
    const int8_t *kc = k + c, *sc = s + c;
    for (uint32_t t = past; t > 0; t--, kc += channels, sc += channels) acc += *kc * *sc;
    to[c] = silu[clamp_s8(requantize(acc, m[c], sh[c])) + 128];
  }
  if (past == 0) return;
  for (uint32_t i = 0; i < (past - 1) * channels; i++) s[i] = s[i + channels];
  for (uint32_t i = 0; i < channels; i++) s[(past - 1) * channels + i] = now[i];
}

void Z_kernelsZ_gate_s16(KERNELS, uint32_t y, uint32_t z, uint32_t table, uint32_t n) {
  int16_t *to = TO(y, 2 * n);
  const int8_t *from = FROM(z, n), *silu = FROM(table, 256);
  for (uint32_t i = 0; i < n; i++, to++) *to = (int16_t)((*to * silu[*from++ + 128] + 64) >> 7);
}

void Z_kernelsZ_gated_s8(KERNELS, uint32_t g, uint32_t u, uint32_t table, uint32_t y, uint32_t n, uint32_t multiplier, uint32_t shift) {
  const int8_t *a = FROM(g, n), *b = FROM(u, n), *silu = FROM(table, 256);
  int8_t *to = TO(y, n);
  for (uint32_t i = 0; i < n; i++) *to++ = (int8_t)clamp_s8(requantize(silu[*a++ + 128] * *b++, (int32_t)multiplier, (int32_t)shift));
}

static void softmax(const uint32_t *tables, int32_t *scores, uint32_t n, int32_t multiplier, int32_t shift) {
  int32_t top = scores[0];
  for (uint32_t i = 1; i < n; i++)
    if (scores[i] > top) top = scores[i];
  uint32_t sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t e = (exp2_neg(tables, (uint32_t)requantize(top - scores[i], multiplier, shift)) + 1) >> 1;
    scores[i] = (int32_t)e;
    sum += e;
  }
  uint32_t r = 0x80000000u / sum;
  for (uint32_t i = 0; i < n; i++) scores[i] = (int32_t)(((uint32_t)scores[i] * r + 32768u) >> 16);
}

void Z_kernelsZ_attention_s8(KERNELS, uint32_t tables, uint32_t q, uint32_t k, uint32_t v, uint32_t scores, uint32_t y, uint32_t n, uint32_t nHeads,
                             uint32_t nKvHeads, uint32_t headDim, uint32_t scoreMultiplier, uint32_t scoreShift, uint32_t outMultiplier,
                             uint32_t outShift) {
  uint32_t row = nKvHeads * headDim;
  const int8_t *query = FROM(q, nHeads * headDim), *keys = FROM(k, n * row), *values = FROM(v, n * row);
  int32_t *p = TO(scores, 4 * n);
  int8_t *to = TO(y, nHeads * headDim);
  for (uint32_t h = 0; h < nHeads; h++, query += headDim) {
    uint32_t shared = h * nKvHeads / nHeads * headDim;
    const int8_t *key = keys + shared;
    for (uint32_t j = 0; j < n; j++, key += row) p[j] = dot(query, key, headDim);
    softmax(FROM(tables, 1552), p, n, (int32_t)scoreMultiplier, (int32_t)scoreShift);
    uint32_t i = 0;
    /* Four outputs at once: a probability is loaded once for four values. */
    for (; i + 4 <= headDim; i += 4) {
      const int8_t *value = values + shared + i;
      int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
      for (const int32_t *pj = p; pj < p + n; pj++, value += row) {
        int32_t weight = *pj;
        a0 += weight * value[0];
        a1 += weight * value[1];
        a2 += weight * value[2];
        a3 += weight * value[3];
      }
      *to++ = (int8_t)clamp_s8(requantize(a0, (int32_t)outMultiplier, (int32_t)outShift));
      *to++ = (int8_t)clamp_s8(requantize(a1, (int32_t)outMultiplier, (int32_t)outShift));
      *to++ = (int8_t)clamp_s8(requantize(a2, (int32_t)outMultiplier, (int32_t)outShift));
      *to++ = (int8_t)clamp_s8(requantize(a3, (int32_t)outMultiplier, (int32_t)outShift));
    }
    for (; i < headDim; i++) {
      int32_t acc = 0;
      for (uint32_t j = 0; j < n; j++) acc += p[j] * values[shared + i + j * row];
      *to++ = (int8_t)clamp_s8(requantize(acc, (int32_t)outMultiplier, (int32_t)outShift));
    }
  }
}

#define MAX_STATE 64u /* LIMIT_STATE */

/* The odd state, by 16-bit halves. */
static int32_t scan_last(int32_t *h, int32_t dtB, int32_t c, uint32_t a, int32_t x, uint32_t scanShift, int32_t acc) {
  int32_t now = (int32_t)a * (*h >> 16) + (int32_t)((a * ((uint32_t)*h & 65535u) + 32768u) >> 16) + dtB * x;
  *h = now;
  return acc + c * (now >> scanShift);
}

void Z_kernelsZ_selective_scan(KERNELS, uint32_t tables, uint32_t raw, uint32_t b, uint32_t c, uint32_t u, uint32_t aLog2, uint32_t d,
                               uint32_t state, uint32_t dtB, uint32_t y, uint32_t nHeads, uint32_t headDim, uint32_t dState, uint32_t scanShift,
                               uint32_t multiplier, uint32_t shift) {
  const uint32_t *table = FROM(tables, 1552);
  const int16_t *rawDt = FROM(raw, 2 * nHeads);
  const int8_t *bs = FROM(b, dState), *cs = FROM(c, dState), *us = FROM(u, nHeads * headDim);
  const int32_t *as = FROM(aLog2, 4 * nHeads), *ds = FROM(d, 4 * nHeads);
  int32_t *s = TO(state, 4 * nHeads * headDim * dState), *wide = TO(dtB, 4 * dState);
  int16_t *to = TO(y, 2 * nHeads * headDim);
  int32_t cWide[MAX_STATE];
  for (uint32_t n = 0; n < dState; n++) cWide[n] = cs[n];
  uint32_t whole = dState & ~(SCAN_STEP - 1u);
  for (uint32_t h = 0; h < nHeads; h++) {
    int32_t dt = softplus(table, rawDt[h]);
    uint32_t t = (uint32_t)(((int64_t)dt * as[h] + 2048) >> 12);
    uint32_t a = exp2_neg(table, t);
    if (a > 65535) a = 65535;
    for (uint32_t n = 0; n < dState; n++) wide[n] = (dt * bs[n] + 8) >> 4;
    for (uint32_t p = 0; p < headDim; p++, s += dState) {
      int32_t x = *us++;
      int32_t acc = ds[h] * x;
      if (whole > 0) acc = scan_channel(s, wide, cWide, whole, a, x, scanShift, acc);
      if (whole < dState) acc = scan_last(s + whole, wide[whole], cWide[whole], a, x, scanShift, acc);
      *to++ = (int16_t)clamp_s16(requantize(acc, (int32_t)multiplier, (int32_t)shift));
    }
  }
}
