/* What every probe shares: messages over the link's UART (u8 operation, u16 length, payload; little-endian), a tick's worth, and a checksum. */
#ifndef DORMOUSE_PROBE_LINK_H
#define DORMOUSE_PROBE_LINK_H

#include "hal.h"
#include "ring.h"
#include "wasm-host.h"

extern const uint8_t dormouse_model[], dormouse_model_end[];

static uint8_t take_byte(void) {
  uint8_t byte;
  while (ring_take(&byte, 1) == 0) hal_sleep();
  return byte;
}

/* Takes a message; what exceeds `limit` is dropped. Returns the operation, `n` is its payload's length. */
static uint8_t take_message(uint8_t *to, uint32_t limit, uint32_t *n) {
  uint8_t op = take_byte();
  *n = take_byte();
  *n |= (uint32_t)take_byte() << 8;
  for (uint32_t i = 0; i < *n; i++) {
    uint8_t byte = take_byte();
    if (i < limit) to[i] = byte;
  }
  return op;
}

static void answer(uint8_t op, const void *payload, uint32_t n) {
  const uint8_t head[3] = {op, (uint8_t)n, (uint8_t)(n >> 8)};
  const uint8_t *p = payload;
  for (uint32_t i = 0; i < 3; i++) hal_uart_put(head[i]);
  while (n-- > 0) hal_uart_put(*p++);
}

static uint8_t *at(uint32_t address) { return DORMOUSE_MEMORY_BASE + address; }

/* CRC-32 (IEEE), continued from `crc`; host/core/arithmetic/crc32.ts is the same. */
static uint32_t crc32(uint32_t crc, const uint8_t *p, uint32_t n) {
  static const uint32_t nibbles[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  for (crc = ~crc; n > 0; n--) {
    crc ^= *p++;
    crc = crc >> 4 ^ nibbles[crc & 15];
    crc = crc >> 4 ^ nibbles[crc & 15];
  }
  return ~crc;
}

/* 300,000 instructions and a few: what a tick is worth. */
__attribute__((noinline)) static void spin(void) {
  uint32_t n = 100000;
  __asm volatile("1: sub %0, #1\n cmp %0, #0\n bne 1b" : "+l"(n)::"cc");
}

static uint32_t since(uint32_t start) { return (hal_ticks() - start) & 0xffffffu; }

/* Ticks of spin(), marked as work. */
static uint32_t spin_ticks(void) {
  hal_mark(true);
  uint32_t start = hal_ticks();
  spin();
  uint32_t took = since(start);
  hal_mark(false);
  return took;
}

#endif
