/* Reads frames (DORMOUSE_CHANNELS int16 each, little-endian) from UART0 and prints a line a decision. */
#include <stdio.h>

#include "dormouse.h"
#include "driver/uart.h"

void app_main(void) {
  uint8_t bytes[2 * DORMOUSE_CHANNELS];
  const int status = dormouse_init();
  if (status != 0) {
    printf("the model is not sound: status %d\n", status);
    return;
  }
  uart_driver_install(UART_NUM_0, 4096, 0, 0, NULL, 0);
  for (uint32_t tick = 0;; tick++) {
    int16_t frame[DORMOUSE_CHANNELS];
    dormouse_decision d;
    if (uart_read_bytes(UART_NUM_0, bytes, sizeof(bytes), portMAX_DELAY) != (int)sizeof(bytes)) continue;
    for (int c = 0; c < DORMOUSE_CHANNELS; c++) frame[c] = (int16_t)(bytes[2 * c] | bytes[2 * c + 1] << 8);
    if (dormouse_step(frame, tick, &d) & DORMOUSE_DECISION) printf("%s %ld\n", dormouse_label(d.label), (long)d.confidence_q15);
  }
}
