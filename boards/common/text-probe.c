/*
 * The text probe: the text core alone, driven over the link's UART text by text, with its costs. The image is read where it lies in flash.
 * `dormouse emulate` and the tests run it. Messages: probe-link.h.
 */
#include "probe-link.h"
#include "text.h"

enum { OP_HELLO = 1, OP_TEXT, OP_STACK };

static uint32_t reply[RESULT_WORDS + 2];
static Z_text_instance_t text;
static uint32_t model, classes;
static int32_t status;

static void hello(void) {
  reply[2] = spin_ticks();
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
  reply[RESULT_WORDS + 1] = crc32(0, at(Z_textZ_logitsPtr(&text, model)), 2 * classes);
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
    uint32_t n;
    uint8_t op = status == 0 ? take_message(at(Z_textZ_textPtr(&text, model)), TEXT_LIMIT_BYTES, &n) : take_message(0, 0, &n);
    if (status != 0) continue;
    if (op == OP_TEXT) classify(n < TEXT_LIMIT_BYTES ? n : TEXT_LIMIT_BYTES);
    else if (op == OP_STACK) {
      reply[0] = hal_stack_used();
      answer(op, reply, 4);
    }
  }
}
