/* Reads frames (DORMOUSE_CHANNELS int16 each, little-endian) from the console's UART and prints a line a decision. */
#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "dormouse.h"

int main(void) {
  const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));
  const int status = dormouse_init();
  if (status != 0) {
    printk("the model is not sound: status %d\n", status);
    return 0;
  }
  for (uint32_t tick = 0;; tick++) {
    uint8_t bytes[2 * DORMOUSE_CHANNELS];
    int16_t frame[DORMOUSE_CHANNELS];
    dormouse_decision d;
    for (size_t i = 0; i < sizeof(bytes); i++) {
      while (uart_poll_in(uart, &bytes[i]) != 0) k_msleep(1);
    }
    for (int c = 0; c < DORMOUSE_CHANNELS; c++) frame[c] = (int16_t)(bytes[2 * c] | bytes[2 * c + 1] << 8);
    if (dormouse_step(frame, tick, &d) & DORMOUSE_DECISION) printk("%s %ld\n", dormouse_label(d.label), (long)d.confidence_q15);
  }
}
