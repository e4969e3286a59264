/* What ST's STM32 share: GPIO, IWDG, an open-drain bus. The board names LED_PORT, LED, BUS_PORT, SCL and SDA = SCL + 1. Source: ST RM0090, RM0456. */
#include "hal.h"
#include "ring.h"

#define OTYPER(port) REG((port) + 0x04u)
#define IDR(port) REG((port) + 0x10u)
#define BSRR(port) REG((port) + 0x18u)
#define IWDG 0x40003000u

static uint32_t coreHz = 16000000u; /* HSI's, until the PLL runs */

static bool wait_for(uint32_t address, uint32_t mask, uint32_t value) {
  for (uint32_t i = 0; i < 100000u; i++)
    if ((REG(address) & mask) == value) return true;
  return false;
}

/* Two bits a pin: `count` pins from `pin` on. */
static void set_fields(uint32_t address, uint32_t pin, uint32_t count, uint32_t fields) {
  REG(address) = (REG(address) & ~(((1u << 2u * count) - 1u) << 2u * pin)) | fields << 2u * pin;
}

/* The LED drives; the bus is open drain, pulled up, released. The ports' clocks run. */
static void start_pins(void) {
  set_fields(LED_PORT, LED, 1, 1);
  BSRR(BUS_PORT) = 1u << SCL | 1u << SDA;
  OTYPER(BUS_PORT) |= 1u << SCL | 1u << SDA;
  set_fields(BUS_PORT + 0x0cu, SCL, 2, 5);
  set_fields(BUS_PORT, SCL, 2, 5);
}

void hal_mark(bool isBusy) { BSRR(LED_PORT) = 1u << (isBusy ? LED : LED + 16u); }

uint32_t hal_clock_hz(void) { return coreHz; }
void hal_i2c_clock(bool isHigh) { BSRR(BUS_PORT) = 1u << (isHigh ? SCL : SCL + 16u); }
void hal_i2c_data(bool isHigh) { BSRR(BUS_PORT) = 1u << (isHigh ? SDA : SDA + 16u); }
bool hal_i2c_clock_level(void) { return IDR(BUS_PORT) >> SCL & 1u; }
bool hal_i2c_data_level(void) { return IDR(BUS_PORT) >> SDA & 1u; }

void hal_watchdog_start(uint32_t milliseconds) {
  REG(IWDG) = 0x5555;
  REG(IWDG + 4) = 4; /* 32 kHz / 64: 2 ms */
  REG(IWDG + 8) = milliseconds / 2u > 4095u ? 4095u : milliseconds / 2u;
  REG(IWDG) = 0xcccc;
}

void hal_watchdog_feed(void) { REG(IWDG) = 0xaaaa; }
