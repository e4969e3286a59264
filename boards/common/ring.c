#include "ring.h"
#include "hal.h"

static uint8_t ring[RING_BYTES];
static volatile uint32_t head; /* next write; only the interrupt moves it */
static volatile uint32_t tail; /* next read; only the program moves it */

bool ring_has_room(void) { return head - tail < RING_BYTES; }

void ring_put(uint8_t byte) {
  uint32_t at = head;
  ring[at & (RING_BYTES - 1)] = byte;
  COMPILER_BARRIER();
  head = at + 1;
}

uint32_t ring_waiting(void) { return head - tail; }

static uint32_t take(uint8_t *to, uint32_t most, bool isFrame) {
  uint32_t at = tail;
  uint32_t n = head - at;
  if (n > most) n = most;
  for (uint32_t i = 0; i < n; i++) {
    to[i] = ring[(at + i) & (RING_BYTES - 1)];
    if (isFrame && to[i] == 0) n = i + 1;
  }
  COMPILER_BARRIER();
  tail = at + n;
  if (n > 0) hal_uart_resume();
  return n;
}

uint32_t ring_take(uint8_t *to, uint32_t most) { return take(to, most, false); }

uint32_t ring_take_frame(uint8_t *to, uint32_t most) { return take(to, most, true); }
