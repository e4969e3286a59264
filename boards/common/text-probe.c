/*
 * The text probe: the text core alone, driven over the link's UART text by text, with its costs. The image is read where it lies in flash.
 * `dormouse emulate` and the tests run it. Messages both ways: u8 operation, u16 length, payload; little-endian.
 */
#include "hal.h"
#include "ring.h"
#include "text.h"
#include "wasm-host.h"

enum { OP_HELLO = 1, OP_TEXT, OP_STACK };

extern const uint8_t dormouse_model[], dormouse_model_end[];

static uint32_t reply[RESULT_WORDS + 2];
static Z_text_instance_t text;
static uint32_t model, classes;
static int32_t status;

static uint8_t take_byte(void) {
  uint8_t byte;
  while (ring_take(&byte, 1) == 0) hal_sleep();
  return byte;
}

static void answer(uint8_t op, const void *payload, uint32_t n) {
  const uint8_t head[3] = {op, (uint8_t)n, (uint8_t)(n >> 8)};
  const uint8_t *p = payload;
  for (uint32_t i = 0; i < 3; i++) hal_uart_put(head[i]);
  while (n-- > 0) hal_uart_put(*p++);
}

static uint8_t *at(uint32_t address) { return DORMOUSE_MEMORY_BASE + address; }

/* CRC-32 (IEEE), bit by bit. host/firmware/emulate/emulate-texts.ts has the same of the host's logits. */
static uint32_t crc32(const uint8_t *p, uint32_t n) {
  uint32_t crc = ~0u;
  while (n-- > 0) {
    crc ^= *p++;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xedb88320u & -(crc & 1u));
  }
  return ~crc;
}

/* 300,000 instructions and a few: what a tick is worth. */
__attribute__((noinline)) static void spin(void) {
  uint32_t n = 100000;
  __asm volatile("1: sub %0, #1\n cmp %0, #0\n bne 1b" : "+l"(n)::"cc");
}

static uint32_t since(uint32_t start) { return (hal_ticks() - start) & 0xffffffu; }

static void hello(void) {
  hal_mark(true);
  uint32_t start = hal_ticks();
  spin();
  reply[2] = since(start);
  hal_mark(false);
  reply[0] = (uint32_t)status;
  reply[1] = Z_textZ_arenaUsedBytes(&text);
  answer(OP_HELLO, reply, 12);
}

/* `n` bytes of text lie in the model's buffer. */
static void classify(uint32_t n) {
  hal_mark(true);
  uint32_t start = hal_ticks();
  Z_textZ_classify(&text, model, n);
  reply[RESULT_WORDS] = since(start);
  hal_mark(false);
  memcpy(reply, at(Z_textZ_resultPtr(&text, model)), 4 * RESULT_WORDS);
  reply[RESULT_WORDS + 1] = crc32(at(Z_textZ_logitsPtr(&text, model)), 2 * classes);
  answer(OP_TEXT, reply, sizeof reply);
}

/* How many classes the image has, which prepare has checked. */
static uint32_t classes_of_image(void) {
  const uint32_t *image = (const uint32_t *)(const void *)dormouse_model;
  const uint32_t *entry = image + IMAGE_HEADER_BYTES / 4;
  for (uint32_t i = 0; i < image[HEADER_SECTION_COUNT / 4]; i++, entry += SECTION_ENTRY_BYTES / 4)
    if ((entry[0] & 0xffffu) == SECTION_TEXT) return image[entry[1] / 4 + TEXT_CLASSES];
  return 0;
}

int main(void) {
  Z_text_init_module();
  Z_text_instantiate(&text);
  Z_textZ__initialize(&text);
  uint32_t image = wasm_address(dormouse_model);
  uint32_t bytes = (uint32_t)(dormouse_model_end - dormouse_model);
  model = Z_textZ_memoryBase(&text);
  wasm_admit_image(&text.w2c_memory, dormouse_model, bytes);
  status = (int32_t)Z_textZ_prepare(&text, image, bytes, model, DORMOUSE_MEMORY_BYTES - model);
  if (status == 0) classes = classes_of_image();
  hello(); /* unasked: a UART drops what comes before it is set up */
  for (;;) {
    uint8_t op = take_byte();
    uint32_t n = take_byte();
    n |= (uint32_t)take_byte() << 8;
    uint8_t *to = status == 0 ? at(Z_textZ_textPtr(&text, model)) : 0;
    for (uint32_t i = 0; i < n; i++) {
      uint8_t byte = take_byte();
      if (to && i < TEXT_LIMIT_BYTES) to[i] = byte;
    }
    if (status != 0) continue;
    if (op == OP_TEXT) classify(n < TEXT_LIMIT_BYTES ? n : TEXT_LIMIT_BYTES);
    else if (op == OP_STACK) {
      reply[0] = hal_stack_used();
      answer(op, reply, 4);
    }
  }
}
