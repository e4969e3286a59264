/* What the ESP-IDF example calls, over standard input: it ends where the input ends. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define portMAX_DELAY 0xffffffffu
#define ESP_ERROR_CHECK(call) \
  do {                        \
    if ((call) != 0) abort(); \
  } while (0)

static inline int read_input(void *to, uint32_t bytes) {
  if (fread(to, 1, bytes, stdin) != bytes) exit(0);
  return (int)bytes;
}

void app_main(void);
