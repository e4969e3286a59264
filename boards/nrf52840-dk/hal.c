/* Nordic nRF52840-DK: the interface chip's UART is on P0.06 and P0.08, LED 1 on P0.13. Source: nRF52840 PS v1.7, DK user guide. */
#define PIN_TX 6u
#define PIN_RX 8u
#define PIN_MARK 13u
#define FLASH_PAGE_BYTES 4096u
#include "nrf-hal.h"
