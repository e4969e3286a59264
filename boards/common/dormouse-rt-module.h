/*
 * The inner half of dormouse-rt.h: what the generated .c file, and nobody else, includes after its own header (which names u8 … u64).
 */
#ifndef DORMOUSE_RT_MODULE_H
#define DORMOUSE_RT_MODULE_H

#include "dormouse-rt.h"

#ifndef DORMOUSE_SAFE
#define DORMOUSE_SAFE 0
#endif

#ifdef __GNUC__
/* Generated code names every local of the wasm, used or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-label"
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define DORMOUSE_INLINE static inline __attribute__((always_inline))
#define DORMOUSE_ALIAS __attribute__((may_alias))
#else
#error "GCC or clang is needed: the memory accesses rely on may_alias."
#endif

#ifdef DORMOUSE_MEMORY_BASE
#define MEMORY_AT(mem, a) ((DORMOUSE_MEMORY_BASE) + (a))
#else
#define MEMORY_AT(mem, a) ((mem)->data + (a))
#endif

#define TRAP(x) (wasm_rt_trap(WASM_RT_TRAP_##x), 0)
#define UNREACHABLE (void)TRAP(UNREACHABLE)
#define FUNC_PROLOGUE
#define FUNC_EPILOGUE

/* [a, a + n) lies in [base, base + size), all modulo 2^32. */
DORMOUSE_INLINE bool range_ok(u32 a, u32 n, u32 base, u32 size) {
  return a - base <= size && n <= size - (a - base);
}

#if DORMOUSE_SAFE
DORMOUSE_INLINE void check_load(const wasm_rt_memory_t *mem, u32 a, u32 n) {
  if (UNLIKELY(!range_ok(a, n, 0, mem->size) && !range_ok(a, n, mem->image, mem->imageBytes))) (void)TRAP(OOB);
}
DORMOUSE_INLINE void check_store(const wasm_rt_memory_t *mem, u32 a, u32 n) {
  if (UNLIKELY(!range_ok(a, n, 0, mem->size))) (void)TRAP(OOB);
}
#define CHECK_ALIGNED(a, n) \
  if (UNLIKELY(((a) & ((n) - 1)) != 0)) (void)TRAP(OOB)
#else
#define check_load(mem, a, n) (void)0
#define check_store(mem, a, n) (void)0
#define CHECK_ALIGNED(a, n) (void)0
#endif

/* Every access of the core is aligned by its size: a Cortex-M0+ faults otherwise. The address is the sum modulo 2^32. */
#define DEFINE_LOAD(name, t1, t2, t3)                          \
  typedef t1 DORMOUSE_ALIAS name##_t;                          \
  DORMOUSE_INLINE t3 name(const wasm_rt_memory_t *mem, u32 a) { \
    check_load(mem, a, sizeof(t1));                            \
    CHECK_ALIGNED(a, sizeof(t1));                              \
    return (t3)(t2) * (const name##_t *)MEMORY_AT(mem, a);     \
  }
#define DEFINE_STORE(name, t1, t2)                                \
  typedef t1 DORMOUSE_ALIAS name##_t;                             \
  DORMOUSE_INLINE void name(wasm_rt_memory_t *mem, u32 a, t2 v) { \
    check_store(mem, a, sizeof(t1));                              \
    CHECK_ALIGNED(a, sizeof(t1));                                 \
    *(name##_t *)MEMORY_AT(mem, a) = (t1)v;                       \
  }

DEFINE_LOAD(i32_load, u32, u32, u32)
DEFINE_LOAD(i64_load, u64, u64, u64)
DEFINE_LOAD(i32_load8_s, s8, s32, u32)
DEFINE_LOAD(i64_load8_s, s8, s64, u64)
DEFINE_LOAD(i32_load8_u, u8, u32, u32)
DEFINE_LOAD(i64_load8_u, u8, u64, u64)
DEFINE_LOAD(i32_load16_s, s16, s32, u32)
DEFINE_LOAD(i64_load16_s, s16, s64, u64)
DEFINE_LOAD(i32_load16_u, u16, u32, u32)
DEFINE_LOAD(i64_load16_u, u16, u64, u64)
DEFINE_LOAD(i64_load32_s, s32, s64, u64)
DEFINE_LOAD(i64_load32_u, u32, u64, u64)
DEFINE_STORE(i32_store, u32, u32)
DEFINE_STORE(i64_store, u64, u64)
DEFINE_STORE(i32_store8, u8, u32)
DEFINE_STORE(i32_store16, u16, u32)
DEFINE_STORE(i64_store8, u8, u64)
DEFINE_STORE(i64_store16, u16, u64)
DEFINE_STORE(i64_store32, u32, u64)

DORMOUSE_INLINE void memory_fill(wasm_rt_memory_t *mem, u32 to, u32 value, u32 n) {
  check_store(mem, to, n);
  memset(MEMORY_AT(mem, to), (int)value, n);
}

DORMOUSE_INLINE void memory_copy(wasm_rt_memory_t *toMem, const wasm_rt_memory_t *fromMem, u32 to, u32 from, u32 n) {
  check_store(toMem, to, n);
  check_load(fromMem, from, n);
  memmove(MEMORY_AT(toMem, to), MEMORY_AT(fromMem, from), n);
}

#define LOAD_DATA(m, o, i, s) memcpy(MEMORY_AT(&(m), (u32)(o)), i, s)

#define I32_CLZ(x) ((u32)((x) ? __builtin_clz(x) : 32))
#define I64_CLZ(x) ((u64)((x) ? __builtin_clzll(x) : 64))
#define I32_CTZ(x) ((u32)((x) ? __builtin_ctz(x) : 32))
#define I64_CTZ(x) ((u64)((x) ? __builtin_ctzll(x) : 64))
#define I32_POPCNT(x) ((u32)__builtin_popcount(x))
#define I64_POPCNT(x) ((u64)__builtin_popcountll(x))

#define DIV_S(ut, min, x, y) \
  (UNLIKELY((y) == 0) ? (ut)TRAP(DIV_BY_ZERO) : UNLIKELY((x) == min && (y) == -1) ? (ut)TRAP(INT_OVERFLOW) : (ut)((x) / (y)))
#define REM_S(ut, min, x, y) \
  (UNLIKELY((y) == 0) ? (ut)TRAP(DIV_BY_ZERO) : UNLIKELY((x) == min && (y) == -1) ? (ut)0 : (ut)((x) % (y)))
#define I32_DIV_S(x, y) DIV_S(u32, INT32_MIN, (s32)x, (s32)y)
#define I64_DIV_S(x, y) DIV_S(u64, INT64_MIN, (s64)x, (s64)y)
#define I32_REM_S(x, y) REM_S(u32, INT32_MIN, (s32)x, (s32)y)
#define I64_REM_S(x, y) REM_S(u64, INT64_MIN, (s64)x, (s64)y)
#define DIV_U(x, y) (UNLIKELY((y) == 0) ? TRAP(DIV_BY_ZERO) : ((x) / (y)))
#define REM_U(x, y) (UNLIKELY((y) == 0) ? TRAP(DIV_BY_ZERO) : ((x) % (y)))
#define ROTL(x, y, mask) (((x) << ((y) & (mask))) | ((x) >> (((mask) - (y) + 1) & (mask))))
#define ROTR(x, y, mask) (((x) >> ((y) & (mask))) | ((x) << (((mask) - (y) + 1) & (mask))))
#define I32_ROTL(x, y) ROTL(x, y, 31)
#define I64_ROTL(x, y) ROTL(x, y, 63)
#define I32_ROTR(x, y) ROTR(x, y, 31)
#define I64_ROTR(x, y) ROTR(x, y, 63)

#endif /* DORMOUSE_RT_MODULE_H */
