/*
 * Nordic nRF52840-DK: the interface chip's UART is on P0.06 and P0.08, LED 1 on P0.13, the IMU on P0.26 and P0.27 (SDA, SCL).
 * SysTick stands still in WFI here, so RTC 0 ticks, on the 32 kHz crystal. Source: nRF52840 PS v1.7 (5.4 clock, 6.9 GPIO, 6.22 RTC), DK user guide.
 */
#define PIN_TX 6u
#define PIN_RX 8u
#define PIN_MARK 13u
#define FLASH_PAGE_BYTES 4096u
#include "nrf-hal.h"

#define PIN_SDA 26u
#define PIN_SCL 27u
#define LFCLK_START REG(0x40000008u)
#define LFCLK_SOURCE REG(0x40000518u)
#define RTC0_START REG(0x4000b000u)
#define RTC0_STOP REG(0x4000b004u)
#define RTC0_CLEAR REG(0x4000b008u)
#define RTC0_COMPARE REG(0x4000b140u)
#define RTC0_INTENSET REG(0x4000b304u)
#define RTC0_COUNTER REG(0x4000b504u)
#define RTC0_CC REG(0x4000b540u)
#define RTC0_IRQ 11u
#define LFCLK_MILLIHERTZ 32768000u

uint32_t hal_clock_hz(void) { return 64000000u; }

static void line(uint32_t pin, bool isHigh) {
  if (isHigh) GPIO_OUTSET = 1u << pin;
  else GPIO_OUTCLR = 1u << pin;
}

void hal_i2c_clock(bool isHigh) { line(PIN_SCL, isHigh); }
void hal_i2c_data(bool isHigh) { line(PIN_SDA, isHigh); }
bool hal_i2c_clock_level(void) { return GPIO_IN >> PIN_SCL & 1u; }
bool hal_i2c_data_level(void) { return GPIO_IN >> PIN_SDA & 1u; }

static uint32_t rate, compare, rest; /* a tick is no whole number of the crystal's: the rest is carried */

void hal_tick_start(uint32_t millihertz) {
  for (uint32_t pin = PIN_SDA; pin <= PIN_SCL; pin++) {
    line(pin, true);
    GPIO_PIN_CNF(pin) = 1u | 3u << 2 | 6u << 8; /* output, input connected, pulled up, drives low alone */
  }
  rate = millihertz;
  LFCLK_SOURCE = 1;
  LFCLK_START = 1;
  compare = LFCLK_MILLIHERTZ / rate;
  RTC0_CLEAR = 1;
  RTC0_CC = compare;
  RTC0_INTENSET = 1u << 16;
  hal_irq_low(RTC0_IRQ);
  RTC0_START = 1;
}

void hal_tick_stop(void) { RTC0_STOP = 1; }

/* While a page of flash is erased the core stands still for 85 ms and the counter does not: the next compare has to lie ahead of it. */
uint32_t hal_tick_interrupt(void) {
  if (!RTC0_COMPARE) return 0;
  RTC0_COMPARE = 0;
  (void)RTC0_COMPARE; /* the event is gone before the handler ends */
  uint32_t ticks = 0;
  do {
    rest += LFCLK_MILLIHERTZ % rate;
    compare += LFCLK_MILLIHERTZ / rate + (rest >= rate);
    if (rest >= rate) rest -= rate;
    ticks++;
  } while ((int32_t)((compare - RTC0_COUNTER - 2u) << 8) <= 0); /* 24 bits; a compare two ahead is the nearest that is sure to match */
  RTC0_CC = compare & 0xffffffu;
  return ticks;
}
