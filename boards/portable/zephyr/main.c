/* Reads frames (dormouse_frames.h) from the console's UART and prints a line per decision. */
#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "dormouse_frames.h"

/* What comes while the model computes. When it is full, bytes are lost, and the receiver finds the next frame. */
K_MSGQ_DEFINE(received, 1, 2048, 1);

static void on_uart(const struct device *uart, void *unused) {
  uint8_t byte;
  ARG_UNUSED(unused);
  while (uart_irq_update(uart) && uart_irq_rx_ready(uart)) {
    while (uart_fifo_read(uart, &byte, 1) == 1) (void)k_msgq_put(&received, &byte, K_NO_WAIT);
  }
}

int main(void) {
  static dormouse_receiver receiver;
  const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));
  const int status = dormouse_init();
  if (status != 0) {
    printk("the model is not sound: status %d\n", status);
    return 0;
  }
  if (!device_is_ready(uart) || uart_irq_callback_user_data_set(uart, on_uart, NULL) != 0) {
    printk("the console's UART has no interrupts: set CONFIG_UART_INTERRUPT_DRIVEN=y\n");
    return 0;
  }
  uart_irq_rx_enable(uart);
  for (;;) {
    uint8_t byte;
    int16_t frame[DORMOUSE_CHANNELS];
    dormouse_decision d;
    if (k_msgq_get(&received, &byte, K_FOREVER) != 0 || !dormouse_receive(&receiver, byte, frame)) continue;
    if (dormouse_step(frame, receiver.tick, &d) & DORMOUSE_DECISION) printk("%s %ld\n", dormouse_label(d.label), (long)d.confidence_q15);
  }
}
