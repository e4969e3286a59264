/* What MCUboot does at the end: finds the header of the first slot and starts the program behind it. */
#include <stdint.h>

void start(void);
extern uint32_t stack_top[];
__attribute__((section(".vectors"), used)) static const void *const vectors[2] = {stack_top, start};

void start(void) {
  const uint32_t *header = (const uint32_t *)SLOT;
  if (header[0] != 0x96f3b83du) for (;;) {}
  const uint32_t *program = (const uint32_t *)(SLOT + (header[2] & 0xffffu)); /* ih_hdr_size */
  __asm volatile("msr msp, %0\n bx %1" ::"r"(program[0]), "r"(program[1]));
  for (;;) {}
}
