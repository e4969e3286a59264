/* Arm MPS3 with the AN547 image (Cortex-M55, secure state), in QEMU: a machine for tests. Source: Arm DAI 0547. */
#define UART_BASE 0x59303000u
#define UART_RX_IRQ 33
#include "mps-hal.h"
