/* Arm MPS2+ with the AN500 image (Cortex-M7), in QEMU: a machine for tests. Source: Arm DAI 0500. */
#define UART_BASE 0x40004000u
#define UART_RX_IRQ 0
#include "mps-hal.h"
