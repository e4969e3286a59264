#pragma once
#include "freertos/FreeRTOS.h"

#define UART_NUM_0 0
static inline int uart_driver_install(int port, int rx, int tx, int events, void *queue, int flags) {
  return port < 0 || rx < 256 || tx != 0 || events != 0 || queue != NULL || flags != 0;
}
static inline int uart_read_bytes(int port, void *to, uint32_t bytes, uint32_t ticks) {
  (void)port, (void)ticks;
  return read_input(to, bytes);
}
