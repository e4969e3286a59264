/* Reads frames (DORMOUSE_CHANNELS int16 each, little-endian) from standard input and prints a line a decision. */
#include <stdio.h>

#include "dormouse.h"

static const char *const why[] = {"exit", "ask", "deferred", "budget", "thermal"};

int main(void) {
  uint8_t bytes[2 * DORMOUSE_CHANNELS];
  uint32_t tick;
  const int status = dormouse_init();
  if (status != 0) {
    fprintf(stderr, "the model is not sound: status %d\n", status);
    return 1;
  }
  for (tick = 0; fread(bytes, sizeof(bytes), 1, stdin) == 1; tick++) {
    int16_t frame[DORMOUSE_CHANNELS];
    dormouse_decision d;
    int c;
    for (c = 0; c < DORMOUSE_CHANNELS; c++) frame[c] = (int16_t)(bytes[2 * c] | (unsigned)bytes[2 * c + 1] << 8);
    if ((dormouse_step(frame, tick, &d) & DORMOUSE_DECISION) == 0) continue;
    printf("%lu %s exit %ld confidence %ld %s %lu MACs\n", (unsigned long)d.tick, dormouse_label(d.label), (long)d.exit + 1,
           (long)d.confidence_q15, why[d.why], (unsigned long)d.macs);
  }
  return 0;
}
