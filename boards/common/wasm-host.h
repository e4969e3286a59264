/* Linear memory on a microcontroller: a static array that starts at DORMOUSE_MEMORY_BASE, and the image beside it in flash. */
#ifndef DORMOUSE_WASM_HOST_H
#define DORMOUSE_WASM_HOST_H

#include "dormouse-rt.h"
#include "layout.h"

/* Where something in flash lies in the module's address space: modulo 2^32, so an unchecked load reads it in place. */
uint32_t wasm_address(const void *pointer);

/* Lets the safe variant read the image. */
void wasm_admit_image(wasm_rt_memory_t *memory, const void *image, uint32_t bytes);

#endif
