/*
 * What C made by wasm2c from a Dormouse module needs: memory accesses, traps and a few integer operations. It takes the place of
 * wasm2c's own block (64-bit bounds checks, bytewise loads), which costs a Cortex-M0+ six times as much.
 *
 * DORMOUSE_SAFE         1: every access is checked for range and alignment, and traps; 0 (default): unchecked.
 * DORMOUSE_MEMORY_BASE  an expression of type uint8_t *: where linear memory starts, when it is known at link time. Default: memory->data.
 *
 * A model image in flash is read in place: on a 32-bit target its address is flashPointer − memoryBase (mod 2^32), and the checks
 * admit that second range. A 64-bit host copies the image into linear memory instead.
 */
#ifndef DORMOUSE_RT_H
#define DORMOUSE_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Dormouse needs a little-endian target: the memory of WebAssembly, and so the model, is little-endian."
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint8_t *data;
  uint32_t size; /* bytes */
  /* A second range that may be read: the image in flash, by its address modulo 2^32. None: imageBytes = 0. */
  uint32_t image;
  uint32_t imageBytes;
  uint32_t pages; /* for memory.size; where memory is fixed: 0 */
} wasm_rt_memory_t;

typedef enum {
  WASM_RT_TRAP_OOB = 1, /* an address outside memory, or not aligned */
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_UNREACHABLE
} wasm_rt_trap_t;

/* Given by whoever links the module. */
#ifdef __GNUC__
__attribute__((noreturn))
#endif
void wasm_rt_trap(wasm_rt_trap_t code);
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t maxPages);
void wasm_rt_free_memory(wasm_rt_memory_t *memory);
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages); /* UINT32_MAX where it cannot; only device.wasm asks */

#ifdef __cplusplus
}
#endif
#endif /* DORMOUSE_RT_H */
