/*
 * Adafruit Feather STM32F405: 168 MHz from the 12 MHz crystal, USART 3 on PB10 and PB11 (TX, RX), the IMU on PB6 and PB7 (SCL, SDA), the LED on PC1.
 * Source: ST RM0090 (3.8 flash, 7.3 RCC, 30.6 USART), Adafruit's schematic.
 */
#define LED_PORT 0x40020800u /* GPIO C */
#define LED 1u
#define BUS_PORT 0x40020400u /* GPIO B */
#define SCL 6u
#define SDA 7u
#include "stm32-hal.h"

#define RCC 0x40023800u
#define FLASH_ACR REG(0x40023c00u)
#define FLASH_KEYR REG(0x40023c04u)
#define FLASH_SR REG(0x40023c0cu)
#define FLASH_CR REG(0x40023c10u)
#define GPIOB 0x40020400u
#define USART3 0x40004800u
#define USART3_IRQ 39
#define DEMCR REG(0xe000edfcu)
#define DWT_CTRL REG(0xe0001000u)
#define CYCLES REG(0xe0001004u) /* counts while the core waits for its flash, too */
#define BAUD 115200u

/* 168 MHz, APB1 42 MHz. Returns APB1's clock: 16 MHz where the crystal does not start. */
static uint32_t start_clocks(void) {
  REG(RCC + 0x00) |= 1u << 16;
  if (!wait_for(RCC + 0x00, 1u << 17, 1u << 17)) return 16000000u;
  FLASH_ACR = 5u | 7u << 8; /* 5 wait states, prefetch, caches */
  REG(RCC + 0x04) = 12u | 336u << 6 | 0u << 16 | 1u << 22 | 7u << 24;
  REG(RCC + 0x08) = 5u << 10 | 4u << 13; /* APB1 / 4, APB2 / 2 */
  REG(RCC + 0x00) |= 1u << 24;
  if (!wait_for(RCC + 0x00, 1u << 25, 1u << 25)) return 16000000u / 4u;
  REG(RCC + 0x08) |= 2u;
  wait_for(RCC + 0x08, 3u << 2, 2u << 2);
  coreHz = 168000000u;
  return 42000000u;
}

void hal_init(void) {
  uint32_t apb1 = start_clocks();
  REG(RCC + 0x30) |= 1u << 1 | 1u << 2; /* GPIO B, C */
  REG(RCC + 0x40) |= 1u << 18;          /* USART 3 */
  set_fields(GPIOB, 10, 2, 10);         /* alternate function 7 on PB10 and PB11 */
  REG(GPIOB + 0x24) = (REG(GPIOB + 0x24) & ~(255u << 8)) | 0x77u << 8;
  start_pins();
  DEMCR |= 1u << 24;
  DWT_CTRL |= 1u;
  REG(USART3 + 0x08) = (apb1 + BAUD / 2u) / BAUD;
  REG(USART3 + 0x0c) = 1u << 13 | 1u << 5 | 1u << 3 | 1u << 2;
  hal_uart_irq(USART3_IRQ);
}

void hal_uart_interrupt(void) {
  while ((REG(USART3 + 0x00) & 1u << 5) && ring_has_room()) ring_put((uint8_t)REG(USART3 + 0x04));
}

void hal_uart_put(uint8_t byte) {
  while (!(REG(USART3 + 0x00) & 1u << 7)) {
  }
  REG(USART3 + 0x04) = byte;
}

static bool flash_ready(void) {
  return wait_for(0x40023c0cu, 1u << 16, 0) && (FLASH_SR & 0xf2u) == 0;
}

static bool flash_open(void) {
  if (FLASH_CR & 1u << 31) {
    FLASH_KEYR = 0x45670123u;
    FLASH_KEYR = 0xcdef89abu;
  }
  FLASH_SR = 0xf2u;
  return (FLASH_CR & 1u << 31) == 0;
}

/* Sectors 5 to 11 have 128 KB each and begin at 0x08020000. */
bool hal_flash_erase(uint32_t at, uint32_t bytes) {
  if (!flash_open()) return false;
  for (uint32_t end = at + bytes; at < end; at += 0x20000u) {
    uint32_t sector = 5u + (at - 0x08020000u) / 0x20000u;
    FLASH_CR = 2u << 8 | sector << 3 | 2u;
    __asm volatile("cpsid i");
    uint32_t ticks = hal_ticks(), began = CYCLES;
    FLASH_CR |= 1u << 16;
    while (FLASH_SR & 1u << 16) hal_watchdog_feed(); /* up to two seconds, in which no instruction comes from flash */
    hal_ticks_passed(ticks, CYCLES - began);
    __asm volatile("cpsie i");
    if (FLASH_SR & 0xf2u) return false;
  }
  FLASH_CR = 1u << 31;
  return true;
}

bool hal_flash_write(uint32_t at, const void *from, uint32_t bytes) {
  const uint8_t *p = from;
  if (!flash_open()) return false;
  FLASH_CR = 2u << 8 | 1u; /* words */
  for (; bytes > 0; bytes -= 4, at += 4, p += 4) {
    REG(at) = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    if (!flash_ready()) return false;
  }
  FLASH_CR = 1u << 31;
  return true;
}
