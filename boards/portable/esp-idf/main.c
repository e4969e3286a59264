/* Reads frames (dormouse_frames.h) from the port of the console, a UART or USB-Serial-JTAG, and prints a line per decision. */
#include <stdio.h>

#include "dormouse_frames.h"
#include "freertos/FreeRTOS.h"
#include "sdkconfig.h"

#define RECEIVE_BYTES 4096

#if CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
#include "driver/usb_serial_jtag.h"

static void open_port(void) {
  usb_serial_jtag_driver_config_t config = USB_SERIAL_JTAG_DRIVER_CONFIG_DEFAULT();
  config.rx_buffer_size = RECEIVE_BYTES;
  ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
}

static int read_port(uint8_t *byte) { return usb_serial_jtag_read_bytes(byte, 1, portMAX_DELAY); }
#else
#include "driver/uart.h"

#ifdef CONFIG_ESP_CONSOLE_UART_NUM
#define PORT CONFIG_ESP_CONSOLE_UART_NUM
#else
#define PORT UART_NUM_0
#endif

static void open_port(void) { ESP_ERROR_CHECK(uart_driver_install(PORT, RECEIVE_BYTES, 0, 0, NULL, 0)); }

static int read_port(uint8_t *byte) { return uart_read_bytes(PORT, byte, 1, portMAX_DELAY); }
#endif

void app_main(void) {
  static dormouse_receiver receiver;
  const int status = dormouse_init();
  if (status != 0) {
    printf("the model is not sound: status %d\n", status);
    return;
  }
  open_port();
  for (;;) {
    uint8_t byte;
    int16_t frame[DORMOUSE_CHANNELS];
    dormouse_decision d;
    if (read_port(&byte) != 1 || !dormouse_receive(&receiver, byte, frame)) continue;
    if (dormouse_step(frame, receiver.tick, &d) & DORMOUSE_DECISION) printf("%s %ld\n", dormouse_label(d.label), (long)d.confidence_q15);
  }
}
