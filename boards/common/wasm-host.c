#include "wasm-host.h"
#include "hal.h"

__attribute__((aligned(16))) uint8_t dormouse_memory[DORMOUSE_MEMORY_BYTES];

void wasm_rt_trap(wasm_rt_trap_t code) { hal_halt((uint32_t)code); }

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t maxPages) {
  (void)pages, (void)maxPages;
  memory->data = dormouse_memory;
  memory->size = DORMOUSE_MEMORY_BYTES;
  memory->image = 0;
  memory->imageBytes = 0;
  memory->pages = 0;
}

/* The device was told what there is (setMemory): it never asks for more. */
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages) {
  (void)memory, (void)pages;
  return 0xffffffffu;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { (void)memory; }

uint32_t wasm_address(const void *pointer) { return (uint32_t)(uintptr_t)pointer - (uint32_t)(uintptr_t)dormouse_memory; }

static uint32_t admitted, admittedBytes;

void wasm_admit_image(wasm_rt_memory_t *memory, const void *image, uint32_t bytes) {
  admitted = wasm_address(image);
  admittedBytes = bytes;
  memory->image = wasm_address(image);
  memory->imageBytes = bytes;
}

/* For the C kernels of the safe variant. */
void *wasm_checked(uint32_t address, uint32_t bytes, int isStore) {
  bool isInMemory = address <= DORMOUSE_MEMORY_BYTES && bytes <= DORMOUSE_MEMORY_BYTES - address;
  bool isInImage = address - admitted <= admittedBytes && bytes <= admittedBytes - (address - admitted);
  if (!isInMemory && (isStore || !isInImage)) wasm_rt_trap(WASM_RT_TRAP_OOB);
  return dormouse_memory + address;
}
