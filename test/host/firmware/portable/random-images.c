/* Runs any image on any patches with the C kernels, for random-images.test.ts: the core as the C library has it, but for the model that is
 * built in there. Argument: a file of cases (u32 image bytes, patches, bytes of a patch, ring, exits, classes; image; patches), little-endian.
 * Prints per case a hash of every exit's logits and of the state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define MEMORY (16u << 20)
uint8_t dormouse_memory[MEMORY] __attribute__((aligned(16)));
static Z_core_instance_t core;

void wasm_rt_trap(wasm_rt_trap_t code) {
  printf("trap %d\n", (int)code);
  exit(1);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t max_pages) {
  (void)pages, (void)max_pages;
  memory->data = dormouse_memory;
  memory->size = MEMORY;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { (void)memory; }

static uint32_t fnv(uint32_t hash, uint32_t address, uint32_t count) {
  for (const uint8_t *p = dormouse_memory + address; count > 0; count--) hash = (hash ^ *p++) * 16777619u;
  return hash;
}

int main(int argc, char **argv) {
  FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  uint32_t head[6];
  if (file == NULL) return 1;
  Z_core_init_module();
  Z_core_instantiate(&core, 0);
  Z_coreZ__initialize(&core);
  while (fread(head, sizeof(head), 1, file) == 1) {
    const uint32_t image = Z_coreZ_memoryBase(&core), arena = image + ((head[0] + 15u) & ~15u);
    uint32_t hash = 2166136261u;
    if (fread(dormouse_memory + image, 1, head[0], file) != head[0]) return 1;
    if (Z_coreZ_prepare(&core, image, head[0], arena, MEMORY - arena) != 0) return 2;
    for (uint32_t i = 0; i < head[1]; i++) {
      if (fread(dormouse_memory + Z_coreZ_patchPtr(&core, arena), 1, head[2], file) != head[2]) return 1;
      Z_coreZ_pushPatch(&core, arena);
      if (i % head[3] == head[3] - 1u || i == head[1] - 1u) Z_coreZ_runAll(&core, arena);
    }
    for (uint32_t k = 0; k < head[4]; k++) hash = fnv(hash, Z_coreZ_logitsPtr(&core, arena, k), 2u * head[5]);
    printf("%u\n", fnv(hash, Z_coreZ_tailPtr(&core, arena), Z_coreZ_tailBytes(&core, arena)));
  }
  return 0;
}
