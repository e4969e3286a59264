/*
 * The language probe: the language core alone, driven over the link's UART token by token, with its costs. The image is read where it lies in
 * flash; the session's arena is all the memory it has. `dormouse emulate --lm` and the tests run it. Messages: probe-link.h.
 */
#include "lm.h"
#include "probe-link.h"

enum { OP_HELLO = 1, OP_PREFILL, OP_TOKEN, OP_STACK };

static uint32_t tokens[LM_CHUNK], reply[3];
static Z_lm_instance_t lm;
static uint32_t session;

/* u32 tokens, at most LM_CHUNK: runs them, the last with logits. Answers with a status and the logits' checksum. */
static void prefill(uint32_t bytes) {
  memcpy(at(Z_lmZ_tokensPtr(&lm, session)), tokens, bytes);
  reply[0] = Z_lmZ_prefill(&lm, session, bytes / 4u, true);
  reply[1] = crc32(0, at(Z_lmZ_logitsPtr(&lm, session)), 4u * DORMOUSE_VOCABULARY);
  answer(OP_PREFILL, reply, 8);
}

/* Takes the most probable token of the last logits and runs it. Answers with it, the new logits' checksum, and the ticks of both. */
static void next_token(void) {
  hal_mark(true);
  uint32_t start = hal_ticks();
  reply[0] = Z_lmZ_greedy(&lm, session);
  Z_lmZ_step(&lm, session, reply[0]);
  reply[2] = since(start);
  hal_mark(false);
  reply[1] = crc32(0, at(Z_lmZ_logitsPtr(&lm, session)), 4u * DORMOUSE_VOCABULARY);
  answer(OP_TOKEN, reply, 12);
}

int main(void) {
  Z_lm_init_module();
#if DORMOUSE_KERNELS
  Z_lm_instantiate(&lm, 0);
#else
  Z_lm_instantiate(&lm);
#endif
  Z_lmZ__initialize(&lm);
  uint32_t image = wasm_address(dormouse_model), bytes = (uint32_t)(dormouse_model_end - dormouse_model);
  session = Z_lmZ_memoryBase(&lm);
  wasm_admit_image(&lm.w2c_memory, dormouse_model, bytes);
  reply[0] = Z_lmZ_prepare(&lm, image, bytes, session, DORMOUSE_MEMORY_BYTES - session, DORMOUSE_WINDOW);
  bool isReady = reply[0] == STATUS_OK;
  reply[1] = Z_lmZ_arenaUsedBytes(&lm);
  reply[2] = spin_ticks();
  answer(OP_HELLO, reply, 12); /* unasked: a UART drops what comes before it is set up */
  for (;;) {
    uint32_t n;
    uint8_t op = take_message((uint8_t *)tokens, sizeof tokens, &n);
    if (!isReady) continue;
    if (op == OP_PREFILL) prefill(n < sizeof tokens ? n : sizeof tokens);
    else if (op == OP_TOKEN) next_token();
    else if (op == OP_STACK) {
      reply[0] = hal_stack_used();
      answer(op, reply, 4);
    }
  }
}
