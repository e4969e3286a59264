/* Arm MPS2+ with the AN505 image (Cortex-M33, secure state), in QEMU: a machine for tests. Source: Arm DAI 0505. */
#define UART_BASE 0x50200000u
#define UART_RX_IRQ 32
#include "mps-hal.h"
