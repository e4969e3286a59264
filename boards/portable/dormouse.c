/* The library's face: it keeps the core's memory, and turns frames into decisions. What the core does is in dormouse_core.c. */
#include "dormouse.h"

#include <stdlib.h>
#include <string.h>

#include "dormouse_core.h"
#include "dormouse_model.h"

#ifndef DORMOUSE_SAFE
#define DORMOUSE_SAFE 0
#endif

/*
 * Where a pointer has 32 bits, the core reads the model and snapshots where they lie: their addresses, relative to its memory, wrap.
 * Elsewhere (and, for snapshots, in the checked variant) they are copied into its memory.
 */
#if UINTPTR_MAX > 0xffffffffu
#define IS_IN_PLACE 0
#else
#define IS_IN_PLACE 1
#endif
#define ALIGN16(n) (((n) + 15u) & ~15u)
#define IMAGE_ROOM (IS_IN_PLACE ? 0u : ALIGN16(DORMOUSE_MODEL_BYTES))
#define SNAPSHOT_ROOM (IS_IN_PLACE && !DORMOUSE_SAFE ? 0u : ALIGN16(DORMOUSE_SNAPSHOT_BYTES))
#define ARENA (DORMOUSE_CORE_BASE + IMAGE_ROOM)
#define SCRATCH (ARENA + ALIGN16(DORMOUSE_ARENA_BYTES))

/* The core's memory: its constants, the model's copy if there is one, the arena, room for a snapshot if it is needed. */
uint8_t dormouse_memory[SCRATCH + SNAPSHOT_ROOM] __attribute__((aligned(16)));

static Z_core_instance_t core;

/* The core's records have room for what is copied out of them and into them: else this does not compile. */
typedef char decision_fits[sizeof(dormouse_decision) <= 4 * DORMOUSE_DECISION_WORDS ? 1 : -1];
typedef char set_point_fits[DORMOUSE_SET_POINT_THRESHOLDS + DORMOUSE_EXITS <= DORMOUSE_SET_POINT_WORDS ? 1 : -1];

__attribute__((weak)) void dormouse_trap(int code) {
  (void)code;
  abort();
}

void dormouse_rt_trap(dormouse_rt_trap_t code) {
  dormouse_trap((int)code);
  for (;;) {
  }
}

void dormouse_rt_allocate_memory(dormouse_rt_memory_t *memory, uint32_t pages, uint32_t max_pages) {
  (void)pages;
  (void)max_pages;
  memory->data = dormouse_memory;
  memory->size = (uint32_t)sizeof(dormouse_memory);
  memory->image = 0;
  memory->imageBytes = 0;
}

void dormouse_rt_free_memory(dormouse_rt_memory_t *memory) { (void)memory; }

#if DORMOUSE_SAFE
/* For the kernels: the whole range of an operand lies in the core's memory, or is read from the model where that lies. */
void *dormouse_rt_checked(uint32_t address, uint32_t bytes, int is_store) {
  const dormouse_rt_memory_t *memory = &core.w2c_memory;
  const int is_in_memory = address <= memory->size && bytes <= memory->size - address;
  const int is_in_model = address - memory->image <= memory->imageBytes && bytes <= memory->imageBytes - (address - memory->image);
  if (!is_in_memory && (is_store || !is_in_model)) dormouse_rt_trap(DORMOUSE_RT_TRAP_OOB);
  return dormouse_memory + address;
}
#endif

/* Address in the core's memory of something outside it, modulo 2^32. */
static uint32_t outside(const void *pointer) { return (uint32_t)((uintptr_t)pointer - (uintptr_t)dormouse_memory); }

int dormouse_init(void) {
  uint32_t image = DORMOUSE_CORE_BASE;
  Z_core_init_module();
  memset(dormouse_memory, 0, DORMOUSE_CORE_BASE);
  Z_core_instantiate(&core, 0); /* the kernels keep no state */
  Z_coreZ__initialize(&core);
  if (Z_coreZ_memoryBase(&core) != DORMOUSE_CORE_BASE) return -100;
  if (IS_IN_PLACE) {
    image = outside(dormouse_model);
    core.w2c_memory.image = image;
    core.w2c_memory.imageBytes = DORMOUSE_MODEL_BYTES;
  } else {
    memcpy(dormouse_memory + image, dormouse_model, DORMOUSE_MODEL_BYTES);
  }
  return (int)Z_coreZ_prepare(&core, image, DORMOUSE_MODEL_BYTES, ARENA, DORMOUSE_ARENA_BYTES);
}

void dormouse_reset(void) { Z_coreZ_reset(&core, ARENA); }

static void read_decision(dormouse_decision *decision) {
  memcpy(decision, dormouse_memory + Z_coreZ_decisionPtr(&core, ARENA), sizeof(*decision));
}

int dormouse_step(const int16_t frame[DORMOUSE_CHANNELS], uint32_t tick, dormouse_decision *decision) {
  int flags;
  memcpy(dormouse_memory + Z_coreZ_framePtr(&core, ARENA), frame, DORMOUSE_CHANNELS * sizeof(int16_t));
  flags = (int)Z_coreZ_pushFrame(&core, ARENA, tick);
  if (flags & DORMOUSE_DECISION) read_decision(decision);
  return flags;
}

void dormouse_decide(dormouse_decision *decision) {
  Z_coreZ_decide(&core, ARENA);
  read_decision(decision);
}

int dormouse_govern(const dormouse_set_point *set_point) {
  int32_t words[DORMOUSE_SET_POINT_WORDS] = {0};
  words[0] = set_point->max_exit;
  words[1] = set_point->hop_patches;
  words[2] = set_point->ask_allowed;
  words[3] = set_point->limit_reason;
  words[4] = set_point->ask_interval_hops;
  memcpy(words + DORMOUSE_SET_POINT_THRESHOLDS, set_point->thresholds, sizeof(set_point->thresholds));
  memcpy(dormouse_memory + Z_coreZ_setPointPtr(&core, ARENA), words, sizeof(words));
  return (int)Z_coreZ_applySetPoint(&core, ARENA);
}

void dormouse_logits(int16_t logits[DORMOUSE_EXITS][DORMOUSE_CLASSES]) {
  uint32_t exit;
  Z_coreZ_runAll(&core, ARENA);
  for (exit = 0; exit < DORMOUSE_EXITS; exit++) {
    memcpy(logits[exit], dormouse_memory + Z_coreZ_logitsPtr(&core, ARENA, exit), sizeof(logits[exit]));
  }
}

static int is_aligned(const void *pointer) { return ((uintptr_t)pointer & 3u) == 0; }

int dormouse_snapshot(void *to) {
  if (!is_aligned(to)) return -1;
  if (SNAPSHOT_ROOM == 0) {
    Z_coreZ_snapshot(&core, ARENA, outside(to));
  } else {
    Z_coreZ_snapshot(&core, ARENA, SCRATCH);
    memcpy(to, dormouse_memory + SCRATCH, DORMOUSE_SNAPSHOT_BYTES);
  }
  return 0;
}

int dormouse_restore(const void *from, uint32_t bytes) {
  if (!is_aligned(from) || bytes != DORMOUSE_SNAPSHOT_BYTES) return -1;
  if (SNAPSHOT_ROOM == 0) return (int)Z_coreZ_restore(&core, ARENA, outside(from), bytes);
  memcpy(dormouse_memory + SCRATCH, from, DORMOUSE_SNAPSHOT_BYTES);
  return (int)Z_coreZ_restore(&core, ARENA, SCRATCH, bytes);
}

const char *dormouse_label(int32_t label) {
  return label >= 0 && label < DORMOUSE_CLASSES ? dormouse_labels[label] : "?";
}
