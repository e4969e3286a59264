/* How a C kernel reaches linear memory. In the safe variant each operand's whole range is checked once a call. */
#ifndef DORMOUSE_KERNEL_MEMORY_H
#define DORMOUSE_KERNEL_MEMORY_H

#include <stdint.h>

struct Z_kernels_instance_t;
#define KERNELS struct Z_kernels_instance_t *kernels __attribute__((unused))

#if DORMOUSE_SAFE
void *wasm_checked(uint32_t address, uint32_t bytes, int isStore); /* wasm-host.c; traps */
#define FROM(address, bytes) wasm_checked(address, bytes, 0)
#define TO(address, bytes) wasm_checked(address, bytes, 1)
#else
#define FROM(address, bytes) ((void *)((DORMOUSE_MEMORY_BASE) + (address)))
#define TO(address, bytes) ((void *)((DORMOUSE_MEMORY_BASE) + (address)))
#endif

#endif
