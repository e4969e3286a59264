/* acc = W·x + b: assembly/kernels/linear-s8.ts says what each argument is. Rows lie at a stride of nIn rounded up to 16, the padding zero. */
#include <stdint.h>
#include "fixed-point.h"
#include "kernel-memory.h"

#ifdef DSP_LOOPS

/*
 * Four rows at once: x is loaded and widened once for four rows, 23 instructions for 16 products. 16 columns a turn: a row has no fewer, and
 * its padding is zero. In assembly, because the compiler's scheduler spills what just fits the registers. A function of its own: inlined, at
 * -Os with hard floats, gcc finds no registers for it.
 */
__attribute__((noinline)) static void four_rows(const int8_t *px, const int8_t *p0, uint32_t stride, const int32_t *bias, int32_t *to) {
  int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
  uint32_t xe, xo, v, o;
#define ROW(load, sum) load "sxtb16 %[o], %[v], ror #8\n sxtb16 %[v], %[v]\n smlad %[" sum "], %[o], %[xo], %[" sum "]\n smlad %[" sum "], %[v], %[xe], %[" sum "]\n"
#define FOUR_COLUMNS                                            \
  "ldr %[v], [%[px]], #4\n sxtb16 %[xo], %[v], ror #8\n sxtb16 %[xe], %[v]\n" \
  ROW("ldr %[v], [%[p0], %[stride]]\n", "s1")                   \
  ROW("ldr %[v], [%[p0], %[stride], lsl #1]\n", "s2")           \
  ROW("ldr %[v], [%[p0], %[stride3]]\n", "s3")                  \
  ROW("ldr %[v], [%[p0]], #4\n", "s0")
  __asm volatile("1:\n" FOUR_COLUMNS FOUR_COLUMNS FOUR_COLUMNS FOUR_COLUMNS "cmp %[px], %[end]\n bne 1b\n"
                 : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [px] "+r"(px), [p0] "+r"(p0), [xe] "=&r"(xe), [xo] "=&r"(xo),
                   [v] "=&r"(v), [o] "=&r"(o)
                 : [stride] "r"(stride), [stride3] "r"(3 * stride), [end] "r"(px + stride)
                 : "cc", "memory");
  to[0] = s0, to[1] = s1, to[2] = s2, to[3] = s3;
}

#elif defined(THUMB1_LOOPS)

/* A Cortex-M0+ has eight registers that all instructions reach: two rows at once fill them. */
static void two_rows(const int8_t *px, const int8_t *p0, uint32_t stride, uint32_t nIn, const int32_t *bias, int32_t *to) {
  const int8_t *p1 = p0 + stride;
  int32_t s0 = bias[0], s1 = bias[1], v, w;
  int32_t i = -(int32_t)((nIn + 3) & ~3u); /* the padding is zero */
  px -= i, p0 -= i, p1 -= i;
#define COLUMN                                                                                   \
  "ldrsb %[v], [%[px], %[i]]\n ldrsb %[w], [%[p0], %[i]]\n muls %[w], %[v], %[w]\n adds %[s0], %[s0], %[w]\n" \
  "ldrsb %[w], [%[p1], %[i]]\n muls %[w], %[v], %[w]\n adds %[s1], %[s1], %[w]\n adds %[i], #1\n"
  __asm volatile(".syntax unified\n1: " COLUMN COLUMN COLUMN COLUMN "bmi 1b\n"
                 : [s0] "+l"(s0), [s1] "+l"(s1), [i] "+l"(i), [v] "=&l"(v), [w] "=&l"(w)
                 : [px] "l"(px), [p0] "l"(p0), [p1] "l"(p1)
                 : "cc", "memory");
  to[0] = s0, to[1] = s1;
}

#else

/*
 * Plain C. Where a processor has vectors, compilers turn the inner loop into products of 16-bit lanes that are added by twos: x is widened
 * once for all rows, and a row's padding is zero.
 */
#if UINTPTR_MAX > 0xffffffffu
#define MAX_IN 4096u
typedef int16_t input_t;
#else
typedef int8_t input_t;
#endif

static void four_rows(const input_t *restrict px, const int8_t *restrict p0, uint32_t stride, const int32_t *bias, int32_t *to) {
  const int8_t *p1 = p0 + stride, *p2 = p1 + stride, *p3 = p2 + stride;
  int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (uint32_t i = 0; i < stride; i++) {
    int32_t v = px[i];
    s0 += v * (int16_t)p0[i];
    s1 += v * (int16_t)p1[i];
    s2 += v * (int16_t)p2[i];
    s3 += v * (int16_t)p3[i];
  }
  to[0] = bias[0] + s0, to[1] = bias[1] + s1, to[2] = bias[2] + s2, to[3] = bias[3] + s3;
}

#endif

void Z_kernelsZ_linear_s8(KERNELS, uint32_t x, uint32_t w, uint32_t b, uint32_t acc, uint32_t nIn, uint32_t nOut) {
  uint32_t stride = (nIn + 15u) & ~15u;
  const int8_t *px = FROM(x, stride), *row = FROM(w, stride * nOut);
  const int32_t *bias = FROM(b, 4 * nOut);
  int32_t *to = TO(acc, 4 * nOut), *end = to + nOut;
#ifdef THUMB1_LOOPS
  for (; to + 2 <= end; to += 2, bias += 2, row += 2 * stride) two_rows(px, row, stride, nIn, bias, to);
#elif defined(MAX_IN)
  input_t wide[MAX_IN];
  for (uint32_t i = 0; i < stride; i++) wide[i] = px[i];
  for (; to + 4 <= end; to += 4, bias += 4, row += 4 * stride) four_rows(wide, row, stride, bias, to);
#else
  for (; to + 4 <= end; to += 4, bias += 4, row += 4 * stride) four_rows(px, row, stride, bias, to);
#endif
  for (; to < end; row += stride) *to++ = *bias++ + dot(px, row, nIn);
}
