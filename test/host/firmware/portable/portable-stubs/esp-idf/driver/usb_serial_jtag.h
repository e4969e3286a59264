#pragma once
#include "freertos/FreeRTOS.h"

typedef struct {
  uint32_t tx_buffer_size, rx_buffer_size;
} usb_serial_jtag_driver_config_t;
#define USB_SERIAL_JTAG_DRIVER_CONFIG_DEFAULT() {.tx_buffer_size = 256, .rx_buffer_size = 256}
static inline int usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *config) { return config->rx_buffer_size < 256; }
static inline int usb_serial_jtag_read_bytes(void *to, uint32_t bytes, uint32_t ticks) {
  (void)ticks;
  return read_input(to, bytes);
}
