/* Nordic's nRF51 and nRF52: UART, NVMC, GPIO and WDT have the same registers at the same addresses. The board names its pins. */
#include "hal.h"
#include "ring.h"

#define UART 0x40002000u
#define UART_STARTRX REG(UART + 0x000u)
#define UART_STARTTX REG(UART + 0x008u)
#define UART_RXDRDY REG(UART + 0x108u)
#define UART_TXDRDY REG(UART + 0x11cu)
#define UART_INTENSET REG(UART + 0x304u)
#define UART_ENABLE REG(UART + 0x500u)
#define UART_PSELTXD REG(UART + 0x50cu)
#define UART_PSELRXD REG(UART + 0x514u)
#define UART_RXD REG(UART + 0x518u)
#define UART_TXD REG(UART + 0x51cu)
#define UART_BAUDRATE REG(UART + 0x524u)
#define UART_IRQ 2
#define BAUD_115200 0x01d7e000u

#define NVMC_READY REG(0x4001e400u)
#define NVMC_CONFIG REG(0x4001e504u)
#define NVMC_ERASEPAGE REG(0x4001e508u)

#define WDT_START REG(0x40010000u)
#define WDT_CRV REG(0x40010504u)
#define WDT_CONFIG REG(0x4001050cu)
#define WDT_RREN REG(0x40010508u)
#define WDT_RR0 REG(0x40010600u)
#define WDT_RELOAD 0x6e524635u

#define GPIO_OUTSET REG(0x50000508u)
#define GPIO_OUTCLR REG(0x5000050cu)
#define GPIO_DIRSET REG(0x50000518u)
#define GPIO_IN REG(0x50000510u)
#define GPIO_PIN_CNF(pin) REG(0x50000700u + 4u * (pin))

void hal_init(void) {
  GPIO_OUTSET = 1u << PIN_TX;
  GPIO_DIRSET = 1u << PIN_TX | 1u << PIN_MARK;
  UART_PSELTXD = PIN_TX;
  UART_PSELRXD = PIN_RX;
  UART_BAUDRATE = BAUD_115200;
  UART_ENABLE = 4;
  UART_INTENSET = 1u << 2; /* RXDRDY */
  hal_uart_irq(UART_IRQ);
  UART_STARTTX = 1;
  UART_STARTRX = 1;
}

void hal_uart_interrupt(void) {
  while (UART_RXDRDY && ring_has_room()) {
    UART_RXDRDY = 0;
    ring_put((uint8_t)UART_RXD);
  }
}

void hal_uart_put(uint8_t byte) {
  UART_TXDRDY = 0;
  UART_TXD = byte;
  while (!UART_TXDRDY) {
  }
}

void hal_mark(bool isBusy) {
  if (isBusy) GPIO_OUTSET = 1u << PIN_MARK;
  else GPIO_OUTCLR = 1u << PIN_MARK;
}

void hal_watchdog_start(uint32_t milliseconds) {
  WDT_CONFIG = 0; /* waits while the core sleeps: SysTick, which would wake it in time, sleeps too */
  WDT_CRV = milliseconds * 32768u / 1000u;
  WDT_RREN = 1;
  WDT_START = 1;
}

void hal_watchdog_feed(void) { WDT_RR0 = WDT_RELOAD; }

static void nvmc(uint32_t mode) {
  NVMC_CONFIG = mode;
  while (!NVMC_READY) {
  }
}

bool hal_flash_erase(uint32_t at, uint32_t bytes) {
  nvmc(2);
  for (uint32_t end = at + bytes; at < end; at += FLASH_PAGE_BYTES) {
    NVMC_ERASEPAGE = at;
    while (!NVMC_READY) {
    }
  }
  nvmc(0);
  return true;
}

bool hal_flash_write(uint32_t at, const void *from, uint32_t bytes) {
  const uint8_t *p = from;
  nvmc(1);
  for (; bytes > 0; bytes -= 4, at += 4, p += 4) {
    REG(at) = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    while (!NVMC_READY) {
    }
  }
  nvmc(0);
  return true;
}
