/* QEMU's micro:bit (nRF51822, Cortex-M0) with more SRAM than silicon has: a machine for tests. Source: nRF51 reference manual v3. */
#define PIN_TX 24u
#define PIN_RX 25u
#define PIN_MARK 21u
#define FLASH_PAGE_BYTES 1024u
#include "nrf-hal.h"
