/* Arm MPS2+ with the AN386 image (Cortex-M4F), in QEMU. Source: Arm DAI 0386. */
#define UART_BASE 0x40004000u
#define UART_RX_IRQ 0
#include "mps-hal.h"
