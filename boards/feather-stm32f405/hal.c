/*
 * Adafruit Feather STM32F405: 168 MHz from the 12 MHz crystal, USART 3 on PB10 and PB11 (TX, RX), the IMU on PB6 and PB7 (SCL, SDA), the LED on PC1.
 * Source: ST RM0090 (3.8 flash, 7.3 RCC, 30.6 USART), Adafruit's schematic.
 */
#include "hal.h"
#include "ring.h"

#define RCC 0x40023800u
#define FLASH_ACR REG(0x40023c00u)
#define FLASH_KEYR REG(0x40023c04u)
#define FLASH_SR REG(0x40023c0cu)
#define FLASH_CR REG(0x40023c10u)
#define GPIOB 0x40020400u
#define GPIOC 0x40020800u
#define USART3 0x40004800u
#define USART3_IRQ 39
#define IWDG 0x40003000u
#define LED 1u
#define SCL 6u
#define SDA 7u
#define BAUD 115200u

static uint32_t coreHz = 16000000u;

static bool wait_for(uint32_t address, uint32_t mask, uint32_t value) {
  for (uint32_t i = 0; i < 100000u; i++)
    if ((REG(address) & mask) == value) return true;
  return false;
}

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
  REG(GPIOB + 0x00) = (REG(GPIOB + 0x00) & ~(15u << 20)) | 10u << 20;
  REG(GPIOB + 0x24) = (REG(GPIOB + 0x24) & ~(255u << 8)) | 0x77u << 8;
  REG(GPIOC + 0x00) = (REG(GPIOC + 0x00) & ~(3u << (2 * LED))) | 1u << (2 * LED);
  REG(GPIOB + 0x18) = 1u << SCL | 1u << SDA; /* open drain, pulled up, released */
  REG(GPIOB + 0x04) |= 1u << SCL | 1u << SDA;
  REG(GPIOB + 0x0c) = (REG(GPIOB + 0x0c) & ~(15u << 2 * SCL)) | 5u << 2 * SCL;
  REG(GPIOB + 0x00) = (REG(GPIOB + 0x00) & ~(15u << 2 * SCL)) | 5u << 2 * SCL;
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
    FLASH_CR |= 1u << 16;
    while (FLASH_SR & 1u << 16) hal_watchdog_feed(); /* up to two seconds */
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
