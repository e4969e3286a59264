/*
 * The probe: the core alone, driven over the link's UART window by window, with its costs. `dormouse emulate` and the tests run it: the same
 * generated C, kernels, start-up and HAL as the firmware. Messages: probe-link.h.
 */
#include "core.h"
#include "probe-link.h"

enum { OP_HELLO = 1, OP_SET_POINT, OP_FRAMES, OP_STACK, OP_LINEAR };

#define MAX_PAYLOAD 2048u
static uint32_t buffer[MAX_PAYLOAD / 4u];
#define MAX_DECISIONS 64u
static uint32_t reply[3 + 3 * MAX_DECISIONS];
static Z_core_instance_t core;
static uint32_t model, channels, exits, logitBytes;
static int32_t status;

static uint32_t word_at(uint32_t address) { return *(uint32_t *)(void *)at(address); }

static void hello(void) {
  reply[2] = spin_ticks();
  reply[0] = (uint32_t)status;
  reply[1] = Z_coreZ_arenaUsedBytes(&core);
  reply[3] = channels;
  reply[4] = exits;
  answer(OP_HELLO, reply, 20);
}

/* u8 0, u8 frames, u16 0, u32 tick; then (frames, channels) s16. */
static void frames(const uint8_t *payload) {
  uint32_t n = payload[1], tick = *(const uint32_t *)(const void *)(payload + 4);
  const uint16_t *from = (const uint16_t *)(const void *)(payload + 8);
  uint32_t decision = Z_coreZ_decisionPtr(&core, model);
  uint32_t total = 0, worst = 0, decisions = 0;
  for (uint32_t i = 0; i < n; i++, from += channels) {
    memcpy(at(Z_coreZ_framePtr(&core, model)), from, channels * 2u);
    hal_mark(true);
    uint32_t start = hal_ticks();
    uint32_t did = Z_coreZ_pushFrame(&core, model, tick + i);
    uint32_t took = since(start);
    hal_mark(false);
    total += took;
    if (took > worst) worst = took;
    if ((did & PUSH_DECISION) == 0 || decisions == MAX_DECISIONS) continue;
    uint32_t exit = word_at(decision + 4 * DECISION_EXIT);
    uint32_t crc = 0;
    for (uint32_t k = 0; k <= exit; k++) crc = crc32(crc, at(Z_coreZ_logitsPtr(&core, model, k)), logitBytes);
    uint32_t *to = reply + 3 + 3 * decisions++;
    to[0] = word_at(decision + 4 * DECISION_LABEL);
    to[1] = exit;
    to[2] = crc32(crc, at(Z_coreZ_tailPtr(&core, model)), Z_coreZ_tailBytes(&core, model));
  }
  reply[0] = total;
  reply[1] = worst;
  reply[2] = decisions;
  answer(OP_FRAMES, reply, 12 + 12 * decisions);
}

#if DORMOUSE_KERNELS
struct Z_kernels_instance_t;
void Z_kernelsZ_linear_s8(struct Z_kernels_instance_t *, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
#endif

/* The C linear at 128 × 128, any 16 KB of the image as weights; the sums go where the arena ends, and the model is prepared anew. */
static void linear(void) {
#if DORMOUSE_KERNELS
  uint32_t image = wasm_address(dormouse_model), sums = DORMOUSE_MEMORY_BYTES - 512u;
  hal_mark(true);
  uint32_t start = hal_ticks();
  for (uint32_t i = 0; i < 10; i++) Z_kernelsZ_linear_s8(0, image, image + 4096, image + 2048, sums, 128, 128);
  reply[0] = since(start);
  hal_mark(false);
  Z_coreZ_prepare(&core, image, (uint32_t)(dormouse_model_end - dormouse_model), model, DORMOUSE_MEMORY_BYTES - model);
#endif
  answer(OP_LINEAR, reply, 4);
}

/* A section of the model, which prepare has checked; 0 if it has none of that kind. */
static const uint32_t *section(uint32_t kind) {
  const uint32_t *image = (const uint32_t *)(const void *)dormouse_model;
  const uint32_t *entry = image + IMAGE_HEADER_BYTES / 4;
  for (uint32_t i = 0; i < image[HEADER_SECTION_COUNT / 4]; i++, entry += SECTION_ENTRY_BYTES / 4)
    if ((entry[0] & 0xffffu) == kind) return image + entry[1] / 4;
  return 0;
}

int main(void) {
  Z_core_init_module();
#if DORMOUSE_KERNELS
  Z_core_instantiate(&core, 0);
#else
  Z_core_instantiate(&core);
#endif
  Z_coreZ__initialize(&core);
  uint32_t image = wasm_address(dormouse_model);
  uint32_t bytes = (uint32_t)(dormouse_model_end - dormouse_model);
  model = Z_coreZ_memoryBase(&core);
  wasm_admit_image(&core.w2c_memory, dormouse_model, bytes);
  status = (int32_t)Z_coreZ_prepare(&core, image, bytes, model, DORMOUSE_MEMORY_BYTES - model);
  if (status == 0) {
    const uint32_t *config = section(SECTION_CONFIG); /* format 1 */
    const uint32_t *input = section(SECTION_INPUT), *head = section(SECTION_HEAD);
    channels = config ? config[CONFIG_CHANNELS] : input[INPUT_CHANNELS];
    exits = config ? config[CONFIG_EXITS] : head[HEAD_EXITS];
    logitBytes = (config ? config[CONFIG_CLASSES] : head[HEAD_CLASSES]) * 2u;
  }
  hello(); /* unasked: a UART drops what comes before it is set up */
  for (;;) {
    uint8_t *to = (uint8_t *)buffer;
    uint32_t n;
    uint8_t op = take_message(to, MAX_PAYLOAD, &n);
    if (status != 0) continue;
    if (op == OP_SET_POINT) {
      memcpy(at(Z_coreZ_setPointPtr(&core, model)), buffer, 4 * SETPOINT_WORDS);
      reply[0] = Z_coreZ_applySetPoint(&core, model);
      answer(op, reply, 4);
    } else if (op == OP_FRAMES) frames(to);
    else if (op == OP_STACK) {
      reply[0] = hal_stack_used();
      answer(op, reply, 4);
    } else if (op == OP_LINEAR) linear();
  }
}
