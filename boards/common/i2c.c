#include "i2c.h"
#include "hal.h"

#define STRETCH_LOOPS 1000u /* a tenth of a millisecond or more: neither IMU stretches the clock at all */

/* 1.3 µs, the shortest low of fast mode, or a little more. */
static void half(void) {
  uint32_t n = hal_clock_hz() / 2300000u + 1u; /* a turn takes three cycles or more */
  __asm volatile("1: sub %0, #1\n cmp %0, #0\n bne 1b" : "+l"(n)::"cc");
}

/* Releases the clock and waits while the device holds it. */
static bool clock_high(void) {
  hal_i2c_clock(true);
  for (uint32_t i = 0; i < STRETCH_LOOPS; i++)
    if (hal_i2c_clock_level()) {
      half();
      return true;
    }
  return false;
}

static void clock_low(void) {
  hal_i2c_clock(false);
  half();
}

static bool put_bit(bool bit) {
  hal_i2c_data(bit);
  half();
  if (!clock_high()) return false;
  clock_low();
  return true;
}

static bool take_bit(bool *bit) {
  hal_i2c_data(true);
  half();
  if (!clock_high()) return false;
  *bit = hal_i2c_data_level();
  clock_low();
  return true;
}

static void stop(void) {
  hal_i2c_data(false);
  half();
  clock_high();
  hal_i2c_data(true);
  half();
}

/* A device that was cut off in mid-byte holds the data line: up to nine clocks let it finish. */
static bool clear_bus(void) {
  for (uint32_t i = 0; i < 9 && !hal_i2c_data_level(); i++) {
    clock_low();
    if (!clock_high()) return false;
  }
  return hal_i2c_data_level();
}

/* A start, or a repeated one. */
static bool start(void) {
  hal_i2c_data(true);
  half();
  if (!clock_high() || !clear_bus()) return false;
  hal_i2c_data(false);
  half();
  clock_low();
  return true;
}

/* False where nobody acknowledges. */
static bool put(uint8_t byte) {
  for (uint32_t mask = 0x80; mask != 0; mask >>= 1)
    if (!put_bit((byte & mask) != 0)) return false;
  bool isRefused;
  return take_bit(&isRefused) && !isRefused;
}

static bool take(uint8_t *byte, bool isLast) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < 8; i++) {
    bool bit;
    if (!take_bit(&bit)) return false;
    value = value << 1 | bit;
  }
  *byte = (uint8_t)value;
  return put_bit(isLast);
}

static bool take_all(uint8_t *to, uint32_t bytes) {
  for (; bytes > 0; bytes--)
    if (!take(to++, bytes == 1)) return false;
  return true;
}

bool i2c_read(uint8_t device, uint8_t reg, uint8_t *to, uint32_t bytes) {
  bool isDone = start() && put((uint8_t)(device << 1)) && put(reg) && start() && put((uint8_t)(device << 1 | 1)) && take_all(to, bytes);
  stop();
  return isDone;
}

bool i2c_write(uint8_t device, uint8_t reg, uint8_t value) {
  bool isDone = start() && put((uint8_t)(device << 1)) && put(reg) && put(value);
  stop();
  return isDone;
}
