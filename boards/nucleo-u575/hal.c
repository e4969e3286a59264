/*
 * ST Nucleo-U575ZI-Q: 160 MHz from HSI16 by PLL 1, USART 1 on PA9 and PA10 (the ST-LINK's virtual port),
 * the IMU on PB8 and PB9 (SCL, SDA), the green LED on PC7.
 * Source: ST RM0456 (7.9 flash, 10.10 PWR, 11.8 RCC, 66.8 USART), UM2861.
 */
#include "hal.h"
#include "ring.h"

#define RCC 0x46020c00u
#define PWR_VOSR 0x4602080cu
#define FLASH 0x40022000u
#define GPIOA 0x42020000u
#define GPIOB 0x42020400u
#define GPIOC 0x42020800u
#define USART1 0x40013800u
#define USART1_IRQ 61
#define IWDG 0x40003000u
#define LED 7u
#define SCL 8u
#define SDA 9u
#define BAUD 115200u

static uint32_t coreHz = 16000000u;

static bool wait_for(uint32_t address, uint32_t mask) {
  for (uint32_t i = 0; i < 100000u; i++)
    if ((REG(address) & mask) == mask) return true;
  return false;
}

/* Returns APB2's clock: 16 MHz where the PLL does not lock. */
static uint32_t start_clocks(void) {
  REG(RCC + 0x00) |= 1u << 8; /* HSI16 */
  wait_for(RCC + 0x00, 1u << 10);
  REG(RCC + 0x1c) = (REG(RCC + 0x1c) & ~3u) | 1u;
  REG(RCC + 0x94) |= 1u << 2; /* PWR */
  REG(RCC + 0x28) = 2u | 3u << 2 | 1u << 18; /* PLL 1 from HSI16 / 1, R on */
  REG(PWR_VOSR) = 3u << 16;
  wait_for(PWR_VOSR, 1u << 15);
  REG(PWR_VOSR) |= 1u << 18; /* booster */
  if (!wait_for(PWR_VOSR, 1u << 14)) return 16000000u;
  REG(FLASH + 0x00) = 4u | 1u << 8; /* 4 wait states, prefetch */
  REG(RCC + 0x34) = 19u | 1u << 9 | 1u << 16 | 1u << 24; /* · 20, / 2 */
  REG(RCC + 0x00) |= 1u << 24;
  if (!wait_for(RCC + 0x00, 1u << 25)) return 16000000u;
  REG(RCC + 0x1c) |= 3u;
  coreHz = 160000000u;
  return coreHz;
}

void hal_init(void) {
  uint32_t apb2 = start_clocks();
  REG(RCC + 0x8c) |= 7u;           /* GPIO A, B, C */
  REG(RCC + 0xa4) |= 1u << 14;     /* USART 1 */
  REG(GPIOA + 0x00) = (REG(GPIOA + 0x00) & ~(15u << 18)) | 10u << 18;
  REG(GPIOA + 0x24) = (REG(GPIOA + 0x24) & ~(255u << 4)) | 0x77u << 4;
  REG(GPIOC + 0x00) = (REG(GPIOC + 0x00) & ~(3u << (2 * LED))) | 1u << (2 * LED);
  REG(GPIOB + 0x18) = 1u << SCL | 1u << SDA; /* open drain, pulled up, released */
  REG(GPIOB + 0x04) |= 1u << SCL | 1u << SDA;
  REG(GPIOB + 0x0c) = (REG(GPIOB + 0x0c) & ~(15u << 2 * SCL)) | 5u << 2 * SCL;
  REG(GPIOB + 0x00) = (REG(GPIOB + 0x00) & ~(15u << 2 * SCL)) | 5u << 2 * SCL;
  REG(USART1 + 0x0c) = (apb2 + BAUD / 2u) / BAUD;
  REG(USART1 + 0x00) = 1u << 5 | 1u << 3 | 1u << 2 | 1u;
  hal_uart_irq(USART1_IRQ);
}

void hal_uart_interrupt(void) {
  REG(USART1 + 0x20) = 1u << 3; /* an overrun: the link's CRC finds the frame */
  while ((REG(USART1 + 0x1c) & 1u << 5) && ring_has_room()) ring_put((uint8_t)REG(USART1 + 0x24));
}

void hal_uart_put(uint8_t byte) {
  while (!(REG(USART1 + 0x1c) & 1u << 7)) {
  }
  REG(USART1 + 0x28) = byte;
}

void hal_mark(bool isBusy) { REG(GPIOC + 0x18) = isBusy ? 1u << LED : 1u << (LED + 16); }

uint32_t hal_clock_hz(void) { return coreHz; }
void hal_i2c_clock(bool isHigh) { REG(GPIOB + 0x18) = 1u << (isHigh ? SCL : SCL + 16u); }
void hal_i2c_data(bool isHigh) { REG(GPIOB + 0x18) = 1u << (isHigh ? SDA : SDA + 16u); }
bool hal_i2c_clock_level(void) { return REG(GPIOB + 0x10) >> SCL & 1u; }
bool hal_i2c_data_level(void) { return REG(GPIOB + 0x10) >> SDA & 1u; }

void hal_watchdog_start(uint32_t milliseconds) {
  REG(IWDG) = 0x5555;
  REG(IWDG + 4) = 4; /* 32 kHz / 64: 2 ms */
  REG(IWDG + 8) = milliseconds / 2u > 4095u ? 4095u : milliseconds / 2u;
  REG(IWDG) = 0xcccc;
}

void hal_watchdog_feed(void) { REG(IWDG) = 0xaaaa; }

static bool flash_done(void) {
  while (REG(FLASH + 0x20) & 1u << 16) hal_watchdog_feed();
  return (REG(FLASH + 0x20) & 0xfau) == 0;
}

static bool flash_open(void) {
  if (REG(FLASH + 0x28) & 1u << 31) {
    REG(FLASH + 0x08) = 0x45670123u;
    REG(FLASH + 0x08) = 0xcdef89abu;
  }
  REG(FLASH + 0x20) = 0xfau;
  return (REG(FLASH + 0x28) & 1u << 31) == 0;
}

/* Pages of 8 KB; the store is bank 2. */
bool hal_flash_erase(uint32_t at, uint32_t bytes) {
  if (!flash_open()) return false;
  for (uint32_t end = at + bytes; at < end; at += 0x2000u) {
    REG(FLASH + 0x28) = 1u << 1 | ((at - 0x08100000u) / 0x2000u) << 3 | 1u << 11;
    REG(FLASH + 0x28) |= 1u << 16;
    if (!flash_done()) return false;
  }
  REG(FLASH + 0x28) = 1u << 31;
  return true;
}

/* 16 bytes at a time. */
bool hal_flash_write(uint32_t at, const void *from, uint32_t bytes) {
  const uint8_t *p = from;
  if (!flash_open()) return false;
  REG(FLASH + 0x28) = 1;
  for (; bytes >= 16; bytes -= 16) {
    for (uint32_t i = 0; i < 4; i++, at += 4, p += 4)
      REG(at) = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    if (!flash_done()) return false;
  }
  REG(FLASH + 0x28) = 1u << 31;
  return bytes == 0;
}
