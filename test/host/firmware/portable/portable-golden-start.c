/* Vectors for the golden program on a Cortex-M in QEMU; newlib's start-up (rdimon) does the rest. QEMU has loaded .data in place. */
extern void _start(void);
extern unsigned long __stack;

static void hang(void) {
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {&__stack, (void *)_start, (void *)hang, (void *)hang};
