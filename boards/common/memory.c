/*
 * memcpy, memmove and memset by words where both ends are aligned: newlib-nano's go byte by byte, and residuals, rings and states are copied at
 * every step.
 */
#pragma GCC optimize("no-tree-loop-distribute-patterns") /* else a loop here becomes a call of itself */

#include <stddef.h>
#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word_t;

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
  uint8_t *d = to;
  const uint8_t *s = from;
  if ((((uintptr_t)d | (uintptr_t)s) & 3) == 0) {
    for (; n >= 16; n -= 16, d += 16, s += 16) {
      word_t a = ((const word_t *)s)[0], b = ((const word_t *)s)[1], c = ((const word_t *)s)[2], e = ((const word_t *)s)[3];
      ((word_t *)d)[0] = a;
      ((word_t *)d)[1] = b;
      ((word_t *)d)[2] = c;
      ((word_t *)d)[3] = e;
    }
    for (; n >= 4; n -= 4, d += 4, s += 4) *(word_t *)d = *(const word_t *)s;
  }
  while (n-- > 0) *d++ = *s++;
  return to;
}

void *memmove(void *to, const void *from, size_t n) {
  uint8_t *d = to;
  const uint8_t *s = from;
  if ((uintptr_t)d - (uintptr_t)s >= n) return memcpy(to, from, n); /* ascending is safe: d lies before s, or they do not touch */
  while (n-- > 0) d[n] = s[n];
  return to;
}

void *memset(void *to, int value, size_t n) {
  uint8_t *d = to;
  if (((uintptr_t)d & 3) == 0) {
    uint32_t word = (uint8_t)value * 0x01010101u;
    for (; n >= 4; n -= 4, d += 4) *(word_t *)d = word;
  }
  while (n-- > 0) *d++ = (uint8_t)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t n) {
  const uint8_t *p = a, *q = b;
  for (; n > 0; n--, p++, q++)
    if (*p != *q) return *p - *q;
  return 0;
}
