/* From reset to main on any Cortex-M: vectors, .data, .bss, a painted stack, sleep, SysTick as a free-running counter. */
#include "hal.h"
#include "imu.h"
#include "ring.h"

extern uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[], __stack_bottom[], __stack_top[];
int main(void);
void reset_handler(void);
void fault_handler(void);

#define PAINT 0xa5a5a5a5u
#define SYST_CSR REG(0xe000e010u)
#define SYST_RVR REG(0xe000e014u)
#define SYST_CVR REG(0xe000e018u)
#define SHPR3 REG(0xe000ed20u)
#define NVIC_ISER(n) REG(0xe000e100u + 4u * (n))
#define NVIC_ICER(n) REG(0xe000e180u + 4u * (n))
#define NVIC_IPR(irq) REG(0xe000e400u + ((irq) & ~3u))
#define SCB_AIRCR REG(0xe000ed0cu)
#define SCB_VTOR REG(0xe000ed08u)

static volatile uint32_t uartIrq;

#if DORMOUSE_IMU
static uint32_t turnsPerTick, turns; /* SysTick counts 24 bits: a slow tick is several of its turns */

static void tick_handler(void) {
  if (turnsPerTick == 0 || ++turns < turnsPerTick) return;
  uint32_t ticks = turns / turnsPerTick;
  turns -= ticks * turnsPerTick;
  imu_tick(ticks);
}

void hal_ticks_passed(uint32_t before, uint32_t cycles) {
  uint32_t passed = (uint32_t)(((uint64_t)before + cycles) / (SYST_RVR + 1u));
  if (passed > 1) turns += passed - 1u;
}

__attribute__((weak)) void hal_tick_start(uint32_t millihertz) {
  uint32_t cycles = (uint32_t)((uint64_t)hal_clock_hz() * 1000u / millihertz);
  turnsPerTick = (cycles >> 24) + 1u;
  turns = 0;
  SYST_RVR = cycles / turnsPerTick - 1u;
  SYST_CVR = 0;
}

__attribute__((weak)) void hal_tick_stop(void) {
  turnsPerTick = 0;
  SYST_RVR = 0xffffffu;
}

__attribute__((weak)) uint32_t hal_tick_interrupt(void) { return 0; }

static bool has_input(void) { return ring_waiting() > 0 || imu_link_waiting(); }
#else
static void tick_handler(void) {} /* wakes a WFI now and then, so that the watchdog is fed */
void hal_ticks_passed(uint32_t before, uint32_t cycles) { (void)before, (void)cycles; }
static bool has_input(void) { return ring_waiting() > 0; }
#endif

static void irq_handler(void) {
#if DORMOUSE_IMU
  uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  if ((exception & 511u) != uartIrq + 16u) {
    uint32_t ticks = hal_tick_interrupt();
    if (ticks > 0) imu_tick(ticks);
    return;
  }
#endif
  hal_uart_interrupt();
  if (!ring_has_room()) NVIC_ICER(uartIrq >> 5) = 1u << (uartIrq & 31);
}

void hal_uart_resume(void) { NVIC_ISER(uartIrq >> 5) = 1u << (uartIrq & 31); }

void hal_irq_low(uint32_t irq) {
  NVIC_IPR(irq) |= 0xffu << 8 * (irq & 3);
  NVIC_ISER(irq >> 5) = 1u << (irq & 31);
}

void hal_uart_irq(uint32_t irq) {
  uartIrq = irq;
  hal_uart_resume();
}

typedef void (*vector_t)(void);
#define IRQ8 irq_handler, irq_handler, irq_handler, irq_handler, irq_handler, irq_handler, irq_handler, irq_handler
#ifndef DORMOUSE_IRQS
#define DORMOUSE_IRQS 64
#endif

/* Every external interrupt goes to one handler: only the UART's is ever enabled, and that of a board's own timer. */
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + DORMOUSE_IRQS] = {
    (vector_t)__stack_top, reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
    fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, tick_handler,
    IRQ8, IRQ8, IRQ8, IRQ8,
#if DORMOUSE_IRQS > 32
    IRQ8, IRQ8, IRQ8, IRQ8,
#endif
#if DORMOUSE_IRQS > 64
    IRQ8, IRQ8, IRQ8, IRQ8, IRQ8, IRQ8, IRQ8, IRQ8,
#endif
};

__attribute__((noreturn, used)) static void start(void) {
  uint32_t *to = __data_start;
  for (const uint32_t *from = __data_load; to < __data_end;) *to++ = *from++;
  for (uint32_t *p = __bss_start; p < __bss_end;) *p++ = 0;
#ifndef DORMOUSE_NO_VTOR
  SCB_VTOR = (uint32_t)vectors;
#endif
  SYST_RVR = 0xffffffu;
  SYST_CVR = 0;
  SHPR3 = 0xff000000u; /* SysTick beneath the UART, which holds a byte or a few */
  SYST_CSR = 7; /* processor clock, interrupt at each turn */
  hal_init();
  __asm volatile("cpsie i");
  main();
  hal_reset();
}

/* Paints the stack before anything uses it, then starts. */
__attribute__((naked, noreturn)) void reset_handler(void) {
  __asm volatile(
      "cpsid i\n ldr r0, =__stack_top\n mov sp, r0\n ldr r1, =__stack_bottom\n ldr r2, =0xa5a5a5a5\n"
      "1: cmp r1, r0\n bhs 2f\n str r2, [r1]\n add r1, #4\n b 1b\n 2: ldr r0, =start\n bx r0\n .ltorg\n");
}

uint32_t hal_stack_used(void) {
  const uint32_t *p = __stack_bottom;
  while (p < __stack_top && *p == PAINT) p++;
  return (uint32_t)(__stack_top - p) * 4u;
}

/* Interrupts are off between the look and the WFI, which wakes on a pending one all the same: no byte can slip between. */
void hal_sleep(void) {
  __asm volatile("cpsid i");
  if (!has_input()) __asm volatile("dsb\n wfi");
  __asm volatile("cpsie i");
}

uint32_t hal_ticks(void) { return SYST_RVR - SYST_CVR; }

_Noreturn void hal_halt(uint32_t code) {
  (void)code;
  hal_reset();
}

/* A fault restarts the device; the store says what it knew. */
void fault_handler(void) { hal_halt(1); }

__attribute__((weak)) _Noreturn void hal_reset(void) {
  SCB_AIRCR = 0x05fa0004u;
  for (;;) __asm volatile("nop");
}
