/* Arm's MPS2 and MPS3 machines, as QEMU has them: a CMSDK UART, no pins, no flash to write. The board names UART_BASE and UART_RX_IRQ. */
#include "hal.h"
#include "ring.h"

#define UART_DATA REG(UART_BASE + 0x00u)
#define UART_STATE REG(UART_BASE + 0x04u)
#define UART_CTRL REG(UART_BASE + 0x08u)
#define UART_INTSTATUS REG(UART_BASE + 0x0cu)
#define UART_BAUDDIV REG(UART_BASE + 0x10u)

void hal_init(void) {
  UART_BAUDDIV = 16;
  UART_CTRL = 0x0b; /* transmit, receive, receive interrupt */
  hal_uart_irq(UART_RX_IRQ);
}

void hal_uart_interrupt(void) {
  UART_INTSTATUS = 2;
  while ((UART_STATE & 2) && ring_has_room()) ring_put((uint8_t)UART_DATA);
}

void hal_uart_put(uint8_t byte) {
  while (UART_STATE & 1) {
  }
  UART_DATA = byte;
}

void hal_mark(bool isBusy) { (void)isBusy; }
void hal_watchdog_start(uint32_t milliseconds) { (void)milliseconds; }
void hal_watchdog_feed(void) {}

/* The store is RAM here, with flash's ways: erasing sets all bits, writing only clears some. */
bool hal_flash_erase(uint32_t at, uint32_t bytes) {
  for (uint32_t end = at + bytes; at < end; at += 4) REG(at) = 0xffffffffu;
  return true;
}

bool hal_flash_write(uint32_t at, const void *from, uint32_t bytes) {
  const uint32_t *p = from;
  for (uint32_t end = at + bytes; at < end; at += 4) REG(at) &= *p++;
  return true;
}
