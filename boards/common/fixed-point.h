/* The core's fixed-point primitives in C, bit for bit (assembly/README.md, Primitives), and the inner loops that differ by core. */
#ifndef DORMOUSE_FIXED_POINT_H
#define DORMOUSE_FIXED_POINT_H

#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__ARM_FEATURE_SAT) && !defined(__aarch64__)
INLINE int32_t clamp_s8(int32_t x) {
  int32_t y;
  __asm("ssat %0, #8, %1" : "=r"(y) : "r"(x));
  return y;
}
INLINE int32_t clamp_s16(int32_t x) {
  int32_t y;
  __asm("ssat %0, #16, %1" : "=r"(y) : "r"(x));
  return y;
}
#else
INLINE int32_t clamp_s8(int32_t x) { return x < -128 ? -128 : x > 127 ? 127 : x; }
INLINE int32_t clamp_s16(int32_t x) { return x < -32768 ? -32768 : x > 32767 ? 32767 : x; }
#endif

/* Loops in assembly need most registers, which only a compiler that optimises leaves free: at -O0 the plain C is compiled. */
#if defined(__OPTIMIZE__) && defined(__thumb2__) && defined(__ARM_FEATURE_DSP)
#define DSP_LOOPS
#elif defined(__OPTIMIZE__) && defined(__thumb__) && !defined(__thumb2__)
#define THUMB1_LOOPS
#endif

#if UINTPTR_MAX > 0xffffffffu

/* acc · multiplier · 2^(shift − 31), half up: the bit that the last shift drops is the carry. */
INLINE int32_t requantize(int32_t acc, int32_t multiplier, int32_t shift) {
  return (int32_t)(((((int64_t)acc * multiplier) >> (30 - shift)) + 1) >> 1);
}

#else

/* The upper word of acc · multiplier, exactly. */
INLINE int32_t multiply_high(int32_t acc, int32_t multiplier) {
#if defined(__thumb__) && !defined(__thumb2__)
  /* A Cortex-M0+ has no long product: four short ones. 0 ≤ multiplier < 2^31, so the middle sums fit. */
  int32_t ah = acc >> 16, mh = multiplier >> 16;
  uint32_t al = (uint32_t)acc & 0xffffu, ml = (uint32_t)multiplier & 0xffffu;
  uint32_t t = al * (uint32_t)mh + (al * ml >> 16);
  int32_t u = ah * (int32_t)ml + (int32_t)(t & 0xffffu);
  return ah * mh + (int32_t)(t >> 16) + (u >> 16);
#else
  return (int32_t)(((int64_t)acc * multiplier) >> 32);
#endif
}

/* x / 2^places, half up, 1 ≤ places ≤ 30: the bit that a shift drops last is the carry. */
INLINE int32_t round_shift(int32_t x, uint32_t places) {
#if defined(__thumb2__)
  __asm("asrs %0, %0, %1\n adc %0, %0, #0" : "+r"(x) : "r"(places) : "cc");
  return x;
#else
  return (x + (1 << (places - 1))) >> places;
#endif
}

/* The plain 64 bits, out of line: no image that training writes needs them. */
static __attribute__((noinline, unused)) int32_t requantize_any(int32_t acc, int32_t multiplier, int32_t shift) {
  uint32_t right = (uint32_t)(31 - shift);
  return (int32_t)(((int64_t)acc * multiplier + (1ll << (right - 1))) >> right);
}

/* acc · multiplier · 2^(shift − 31), half up. From 33 places on, the lower word of the product is beyond what the rounding sees. */
INLINE int32_t requantize(int32_t acc, int32_t multiplier, int32_t shift) {
  if (__builtin_expect(shift > -2, 0)) return requantize_any(acc, multiplier, shift);
  return round_shift(multiply_high(acc, multiplier), (uint32_t)~shift); /* 31 − shift − 32 */
}

#endif

INLINE uint32_t exp2_neg(const uint32_t *tables, uint32_t t) {
  uint32_t n = t >> 16;
  if (n > 16) return 0;
  const uint32_t *entry = tables + ((t & 65535u) >> 9);
  uint32_t v = entry[0] - (((entry[0] - entry[1]) * (t & 511u) + 256u) >> 9);
  return n == 0 ? v : (v + (1u << (n - 1))) >> n;
}

INLINE int32_t softplus(const uint32_t *tables, int32_t raw) {
  uint32_t u = (uint32_t)(raw + 32768);
  const int32_t *entry = (const int32_t *)tables + 129 + (u >> 8);
  return entry[0] + (((entry[1] - entry[0]) * (int32_t)(u & 255u) + 128) >> 8);
}

#ifdef DSP_LOOPS

typedef uint32_t __attribute__((may_alias)) packed_t;

INLINE uint32_t even_bytes(uint32_t word) { /* bytes 0 and 2 as two s16 */
  uint32_t y;
  __asm("sxtb16 %0, %1" : "=r"(y) : "r"(word));
  return y;
}
INLINE uint32_t odd_bytes(uint32_t word) { /* bytes 1 and 3 */
  uint32_t y;
  __asm("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(word));
  return y;
}
INLINE int32_t smlad(uint32_t a, uint32_t b, int32_t acc) {
  int32_t y;
  __asm("smlad %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(acc));
  return y;
}

/* Σ a·b over n int8; both pointers 4-aligned where n is a multiple of 4. */
INLINE int32_t dot(const int8_t *a, const int8_t *b, uint32_t n) {
  int32_t acc = 0;
  if ((n & 3) == 0 && (((uintptr_t)a | (uintptr_t)b) & 3) == 0) {
    for (const int8_t *end = a + n; a < end; a += 4, b += 4) {
      uint32_t x = *(const packed_t *)a, w = *(const packed_t *)b;
      acc = smlad(even_bytes(w), even_bytes(x), acc);
      acc = smlad(odd_bytes(w), odd_bytes(x), acc);
    }
    return acc;
  }
  while (n-- > 0) acc += *a++ * *b++;
  return acc;
}

/*
 * One channel of the scan, c widened to words, n even. SMMLAR is z + (p·q + 2^31) >> 32: with p = (a − 2^16)·2^16 and z = dtB·x + h that
 * is (a·h + 2^15) >> 16 + dtB·x for a ≥ 2^15; below, p = a·2^16 and z = dtB·x.
 */
INLINE int32_t scan_channel(int32_t *h, const int32_t *dtB, const int32_t *c, uint32_t n, uint32_t a, int32_t x, uint32_t scanShift, int32_t acc) {
  int32_t a16 = (int32_t)(a << 16), h0, h1, z0, z1;
  const int32_t *end = h + n;
#define SCAN(add0, add1)                                                                                                    \
  __asm volatile("1: ldrd %[h0], %[h1], [%[h]]\n ldrd %[z0], %[z1], [%[dtB]], #8\n" add0 add1                                \
                 "smmlar %[h0], %[a], %[h0], %[z0]\n smmlar %[h1], %[a], %[h1], %[z1]\n strd %[h0], %[h1], [%[h]], #8\n"      \
                 "ldrd %[z0], %[z1], [%[c]], #8\n asr %[h0], %[h0], %[shift]\n asr %[h1], %[h1], %[shift]\n"                 \
                 "mla %[acc], %[z0], %[h0], %[acc]\n mla %[acc], %[z1], %[h1], %[acc]\n cmp %[h], %[end]\n bne 1b\n"          \
                 : [h] "+r"(h), [dtB] "+r"(dtB), [c] "+r"(c), [acc] "+r"(acc), [h0] "=&r"(h0), [h1] "=&r"(h1), [z0] "=&r"(z0), [z1] "=&r"(z1) \
                 : [a] "r"(a16), [x] "r"(x), [shift] "r"(scanShift), [end] "r"(end)                                        \
                 : "cc", "memory")
  if (a16 < 0) SCAN("mla %[z0], %[z0], %[x], %[h0]\n", "mla %[z1], %[z1], %[x], %[h1]\n");
  else SCAN("mul %[z0], %[z0], %[x]\n", "mul %[z1], %[z1], %[x]\n");
  return acc;
}
#define SCAN_STEP 2u

#else

INLINE int32_t dot(const int8_t *a, const int8_t *b, uint32_t n) {
  int32_t acc = 0;
  while (n-- > 0) acc += *a++ * *b++;
  return acc;
}

INLINE int32_t scan_channel(int32_t *h, const int32_t *dtB, const int32_t *c, uint32_t n, uint32_t a, int32_t x, uint32_t scanShift, int32_t acc) {
  for (int32_t *end = h + n; h < end; h++) {
    int32_t old = *h;
#if UINTPTR_MAX > 0xffffffffu
    int32_t now = (int32_t)(((int64_t)a * old + 32768) >> 16) + *dtB++ * x;
#else
    int32_t now = (int32_t)a * (old >> 16) + (int32_t)((a * ((uint32_t)old & 65535u) + 32768u) >> 16) + *dtB++ * x;
#endif
    *h = now;
    acc += *c++ * (now >> scanShift);
  }
  return acc;
}
#define SCAN_STEP 1u

#endif
#endif
