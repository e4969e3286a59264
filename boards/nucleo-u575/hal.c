/*
 * ST Nucleo-U575ZI-Q: 160 MHz from HSI16 by PLL 1, USART 1 on PA9 and PA10 (the ST-LINK's virtual port),
 * the IMU on PB8 and PB9 (SCL, SDA), the green LED on PC7.
 * Source: ST RM0456 (7.9 flash, 10.10 PWR, 11.8 RCC, 66.8 USART), UM2861.
 */
#define LED_PORT 0x42020800u /* GPIO C */
#define LED 7u
#define BUS_PORT 0x42020400u /* GPIO B */
#define SCL 8u
#define SDA 9u
#include "stm32-hal.h"

#define RCC 0x46020c00u
#define PWR_VOSR 0x4602080cu
#define FLASH 0x40022000u
#define GPIOA 0x42020000u
#define USART1 0x40013800u
#define USART1_IRQ 61
#define BAUD 115200u

/* Returns APB2's clock: 16 MHz where the PLL does not lock. */
static uint32_t start_clocks(void) {
  REG(RCC + 0x00) |= 1u << 8; /* HSI16 */
  wait_for(RCC + 0x00, 1u << 10, 1u << 10);
  REG(RCC + 0x1c) = (REG(RCC + 0x1c) & ~3u) | 1u;
  REG(RCC + 0x94) |= 1u << 2; /* PWR */
  REG(RCC + 0x28) = 2u | 3u << 2 | 1u << 18; /* PLL 1 from HSI16 / 1, R on */
  REG(PWR_VOSR) = 3u << 16;
  wait_for(PWR_VOSR, 1u << 15, 1u << 15);
  REG(PWR_VOSR) |= 1u << 18; /* booster */
  if (!wait_for(PWR_VOSR, 1u << 14, 1u << 14)) return 16000000u;
  REG(FLASH + 0x00) = 4u | 1u << 8; /* 4 wait states, prefetch */
  REG(RCC + 0x34) = 19u | 1u << 9 | 1u << 16 | 1u << 24; /* · 20, / 2 */
  REG(RCC + 0x00) |= 1u << 24;
  if (!wait_for(RCC + 0x00, 1u << 25, 1u << 25)) return 16000000u;
  REG(RCC + 0x1c) |= 3u;
  coreHz = 160000000u;
  return coreHz;
}

void hal_init(void) {
  uint32_t apb2 = start_clocks();
  REG(RCC + 0x8c) |= 7u;       /* GPIO A, B, C */
  REG(RCC + 0xa4) |= 1u << 14; /* USART 1 */
  set_fields(GPIOA, 9, 2, 10); /* alternate function 7 on PA9 and PA10 */
  REG(GPIOA + 0x24) = (REG(GPIOA + 0x24) & ~(255u << 4)) | 0x77u << 4;
  start_pins();
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
