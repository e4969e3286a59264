/*
 * Raspberry Pi Pico: 125 MHz from the crystal, UART 0 on GPIO 0 and 1, the IMU on GPIO 4 and 5, the LED on GPIO 25, flash written by the boot ROM.
 * Source: RP2040 datasheet (2.8.3 boot ROM, 2.15 clocks, 2.19 GPIO, 4.2 UART, 4.7 watchdog).
 */
#include "hal.h"
#include "ring.h"

#define CLEAR 0x3000u /* atomic bit-clear alias */
#define RESETS 0x4000c000u
#define CLOCKS 0x40008000u
#define XOSC 0x40024000u
#define PLL_SYS 0x40028000u
#define IO_BANK0 0x40014000u
#define UART0 0x40034000u
#define WATCHDOG 0x40058000u
#define PSM_WDSEL REG(0x40010008u)
#define MICROSECONDS REG(0x40054028u) /* the timer, running */
#define SIO 0xd0000000u
#define UART0_IRQ 20
#define PADS_BANK0 0x4001c000u
#define LED 25u
#define SDA 4u
#define SCL 5u

/* Waits for a bit, but not for ever: a clock that never comes leaves the one before in place. */
static bool wait_for(uint32_t address, uint32_t bits) {
  for (uint32_t i = 0; i < 1000000u; i++)
    if ((REG(address) & bits) == bits) return true;
  return false;
}

static void start_clocks(void) {
  REG(XOSC + 0x0c) = 47; /* about 1 ms at 12 MHz */
  REG(XOSC + 0x00) = 0xfabaa0u;
  if (!wait_for(XOSC + 0x04, 1u << 31)) return;
  REG(CLOCKS + 0x30) = 2; /* clk_ref from the crystal */
  REG(RESETS + CLEAR) = 1u << 12;
  wait_for(RESETS + 8, 1u << 12);
  REG(PLL_SYS + 0x00) = 1;
  REG(PLL_SYS + 0x08) = 125; /* 12 MHz · 125 = 1500 MHz */
  REG(PLL_SYS + CLEAR + 0x04) = 0x21;
  wait_for(PLL_SYS + 0x00, 1u << 31);
  REG(PLL_SYS + 0x0c) = 6u << 16 | 2u << 12; /* / 12 */
  REG(PLL_SYS + CLEAR + 0x04) = 0x08;
  REG(CLOCKS + 0x3c) = 1; /* clk_sys from the PLL */
  REG(CLOCKS + 0x48) = 1u << 11; /* clk_peri from clk_sys */
  REG(WATCHDOG + 0x2c) = 1u << 9 | 12u; /* a tick is 1 µs */
}

void hal_init(void) {
  start_clocks();
  uint32_t needed = 1u << 5 | 1u << 8 | 1u << 21 | 1u << 22; /* IO, pads, timer, UART 0 */
  REG(RESETS + CLEAR) = needed;
  wait_for(RESETS + 8, needed);
  REG(UART0 + 0x24) = 67; /* 125 MHz / (16 · 67.8125) = 115,200 baud */
  REG(UART0 + 0x28) = 52;
  REG(UART0 + 0x2c) = 0x70; /* 8 bits, FIFOs */
  REG(UART0 + 0x30) = 0x301;
  REG(UART0 + 0x38) = 1u << 4 | 1u << 6; /* receive, and receive timeout */
  REG(IO_BANK0 + 4) = 2;
  REG(IO_BANK0 + 12) = 2;
  REG(IO_BANK0 + 8 * LED + 4) = 5;
  REG(SIO + 0x24) = 1u << LED;
  for (uint32_t pin = SDA; pin <= SCL; pin++) { /* low when driven, pulled up when not */
    REG(PADS_BANK0 + 4 + 4 * pin) = 1u << 6 | 1u << 4 | 1u << 3 | 1u << 1;
    REG(IO_BANK0 + 8 * pin + 4) = 5;
  }
  hal_uart_irq(UART0_IRQ);
}

/* Both of its causes end by reading: acknowledged with bytes left in the FIFO, it would not come again. */
void hal_uart_interrupt(void) {
  while (!(REG(UART0 + 0x18) & 1u << 4) && ring_has_room()) ring_put((uint8_t)REG(UART0));
}

void hal_uart_put(uint8_t byte) {
  while (REG(UART0 + 0x18) & 1u << 5) {
  }
  REG(UART0) = byte;
}

void hal_mark(bool isBusy) { REG(SIO + (isBusy ? 0x14 : 0x18)) = 1u << LED; }

uint32_t hal_clock_hz(void) { return 125000000u; }
void hal_i2c_clock(bool isHigh) { REG(SIO + (isHigh ? 0x28 : 0x24)) = 1u << SCL; }
void hal_i2c_data(bool isHigh) { REG(SIO + (isHigh ? 0x28 : 0x24)) = 1u << SDA; }
bool hal_i2c_clock_level(void) { return REG(SIO + 0x04) >> SCL & 1u; }
bool hal_i2c_data_level(void) { return REG(SIO + 0x04) >> SDA & 1u; }

static uint32_t watchdogLoad;

void hal_watchdog_start(uint32_t milliseconds) {
  watchdogLoad = milliseconds > 8000u ? 16000000u : milliseconds * 2000u; /* counts twice a tick (RP2040-E1), 24 bits */
  REG(WATCHDOG + 4) = watchdogLoad;
  PSM_WDSEL = 0x1fffcu; /* resets all but the oscillators */
  REG(WATCHDOG + 0) = 1u << 30;
}

void hal_watchdog_feed(void) {
  if (REG(WATCHDOG + 0) & 1u << 30) REG(WATCHDOG + 4) = watchdogLoad;
}

/* ── Flash, by the boot ROM: XIP is off while it works, so this code runs from RAM ── */

typedef void (*rom_void_t)(void);
typedef void (*rom_erase_t)(uint32_t at, uint32_t bytes, uint32_t block, uint8_t command);
typedef void (*rom_write_t)(uint32_t at, const uint8_t *from, uint32_t bytes);
typedef void *(*rom_lookup_t)(uint16_t *table, uint32_t code);
#define ROM_CODE(a, b) ((uint32_t)(a) | (uint32_t)(b) << 8)

static void *rom(uint32_t code) {
  rom_lookup_t lookup = (rom_lookup_t)(uintptr_t) * (volatile uint16_t *)0x18;
  return lookup == 0 ? 0 : lookup((uint16_t *)(uintptr_t) * (volatile uint16_t *)0x14, code);
}

__attribute__((section(".ramcode"), noinline)) static void flash_work(rom_void_t connect, rom_void_t leaveXip, rom_erase_t erase, rom_write_t write,
                                                                      rom_void_t flush, rom_void_t enterXip, uint32_t at, const uint8_t *from, uint32_t bytes) {
  connect();
  leaveXip();
  if (from == 0) erase(at, bytes, 1u << 16, 0xd8);
  else write(at, from, bytes);
  flush();
  enterXip();
}

static bool flash_call(uint32_t at, const uint8_t *from, uint32_t bytes) {
  rom_void_t connect = (rom_void_t)rom(ROM_CODE('I', 'F')), leave = (rom_void_t)rom(ROM_CODE('E', 'X'));
  rom_void_t flush = (rom_void_t)rom(ROM_CODE('F', 'C')), enter = (rom_void_t)rom(ROM_CODE('C', 'X'));
  rom_erase_t erase = (rom_erase_t)rom(ROM_CODE('R', 'E'));
  rom_write_t write = (rom_write_t)rom(ROM_CODE('R', 'P'));
  if (!connect || !leave || !flush || !enter || !erase || !write) return false;
  __asm volatile("cpsid i");
  uint32_t ticks = hal_ticks(), began = MICROSECONDS;
  flash_work(connect, leave, erase, write, flush, enter, at - 0x10000000u, from, bytes);
  hal_ticks_passed(ticks, (MICROSECONDS - began) * 125u);
  __asm volatile("cpsie i");
  return true;
}

bool hal_flash_erase(uint32_t at, uint32_t bytes) { return flash_call(at, 0, bytes); }

/* The flash programs pages of 256 bytes: what is outside [at, at + bytes) is written as ones, which changes nothing. */
bool hal_flash_write(uint32_t at, const void *from, uint32_t bytes) {
  static uint8_t page[256];
  const uint8_t *p = from;
  while (bytes > 0) {
    uint32_t offset = at & 255u, some = 256u - offset;
    if (some > bytes) some = bytes;
    for (uint32_t i = 0; i < 256u; i++) page[i] = i >= offset && i < offset + some ? p[i - offset] : 0xff;
    if (!flash_call(at - offset, page, 256)) return false;
    at += some, p += some, bytes -= some;
  }
  return true;
}
