/* What a board gives: boards/<id>/hal.c. Everything else is common. */
#ifndef DORMOUSE_HAL_H
#define DORMOUSE_HAL_H

#include <stdbool.h>
#include <stdint.h>

/* Clocks, pins, UART, timer. Called once, before main. */
void hal_init(void);

/* The link's UART. Bytes that came are in the receive ring (ring.h); its interrupt puts them there. */
void hal_uart_interrupt(void); /* as long as there are bytes and ring_has_room() */
void hal_uart_put(uint8_t byte); /* waits for room */

/* A rise marks the start of work, a fall its end: a pin that a power profiler or an emulator sees. */
void hal_mark(bool isBusy);

void hal_watchdog_start(uint32_t milliseconds);
void hal_watchdog_feed(void);
_Noreturn void hal_reset(void);

/* The store in flash. `at` and `bytes` are multiples of what the board's store.h says; return false where the flash refuses. */
bool hal_flash_erase(uint32_t at, uint32_t bytes);
bool hal_flash_write(uint32_t at, const void *from, uint32_t bytes);

/* Start-up (startup.c). */
void hal_uart_irq(uint32_t irq); /* enables the UART's interrupt */
void hal_irq_low(uint32_t irq);  /* enables another, beneath the UART's */
void hal_uart_resume(void);       /* the ring has room again */
void hal_sleep(void); /* WFI, unless bytes are waiting */
uint32_t hal_ticks(void); /* SysTick, counting up: 24 bits, or a tick where hal_tick_start set one */
uint32_t hal_stack_used(void); /* bytes of stack that were ever touched */
_Noreturn void hal_halt(uint32_t code);

/* The IMU's bus, on boards that have one: two open-drain lines with pull-ups. True releases a line, false pulls it low. */
void hal_i2c_clock(bool isHigh);
void hal_i2c_data(bool isHigh);
bool hal_i2c_clock_level(void);
bool hal_i2c_data_level(void);
uint32_t hal_clock_hz(void); /* of the core */

/* The timer that calls imu_tick, beneath the UART's interrupt. startup.c has one on SysTick; a board whose SysTick stops in WFI has its own. */
void hal_tick_start(uint32_t millihertz);
void hal_tick_stop(void);
uint32_t hal_tick_interrupt(void); /* ticks of the board's own timer, not SysTick, since it was last asked */

/* Interrupts were off for so many cycles, and hal_ticks() was `before`: of the ticks that passed, SysTick holds one. Called before they are on again. */
void hal_ticks_passed(uint32_t before, uint32_t cycles);

#define COMPILER_BARRIER() __asm volatile("" ::: "memory")
#define REG(address) (*(volatile uint32_t *)(address))

#endif
