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
void hal_uart_resume(void);       /* the ring has room again */
void hal_sleep(void); /* WFI, unless bytes are waiting */
uint32_t hal_ticks(void); /* SysTick, counting up, 24 bits */
uint32_t hal_stack_used(void); /* bytes of stack that were ever touched */
_Noreturn void hal_halt(uint32_t code);

#define REG(address) (*(volatile uint32_t *)(address))

#endif
