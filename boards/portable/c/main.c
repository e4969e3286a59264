/*
 * Reads frames (dormouse_frames.h) from standard input and prints a line per decision. With --bare it reads counts without a CRC, from a
 * file that is known to be whole.
 */
#include <stdio.h>

#include "dormouse_frames.h"

static const char *const why[] = {"exit", "ask", "deferred", "budget", "thermal"};

static void take(const int16_t frame[DORMOUSE_CHANNELS], uint32_t tick) {
  dormouse_decision d;
  if ((dormouse_step(frame, tick, &d) & DORMOUSE_DECISION) == 0) return;
  printf("%lu %s exit %ld confidence %ld %s %lu MACs\n", (unsigned long)d.tick, dormouse_label(d.label), (long)d.exit + 1,
         (long)d.confidence_q15, why[d.why], (unsigned long)d.macs);
}

static int read_bare(void) {
  uint8_t bytes[DORMOUSE_COUNT_BYTES];
  int16_t frame[DORMOUSE_CHANNELS];
  uint32_t tick = 0;
  size_t got;
  while ((got = fread(bytes, 1, sizeof(bytes), stdin)) == sizeof(bytes)) {
    dormouse_counts(bytes, frame);
    take(frame, tick++);
  }
  if (got == 0) return 0;
  fprintf(stderr, "the input ends after %lu of a frame's %lu bytes: a byte was lost or added, and the decisions are not to be trusted\n",
          (unsigned long)got, (unsigned long)sizeof(bytes));
  return 1;
}

static int read_frames(void) {
  dormouse_receiver receiver = {{0}, 0, 0, 0, 0, 0};
  int16_t frame[DORMOUSE_CHANNELS];
  uint32_t frames = 0;
  int byte;
  while ((byte = getchar()) != EOF) {
    if (!dormouse_receive(&receiver, (uint8_t)byte, frame)) continue;
    frames++;
    take(frame, receiver.tick);
  }
  if (receiver.lost + receiver.held > 0) {
    fprintf(stderr, "%lu bytes belong to no frame: bytes were lost or spoilt, or frames came without the CRC of dormouse_frames.h (--bare)\n",
            (unsigned long)(receiver.lost + receiver.held));
  }
  return frames == 0 && receiver.lost > 0;
}

int main(int argc, char **argv) {
  const int status = dormouse_init();
  if (status != 0) {
    fprintf(stderr, "the model is not sound: status %d\n", status);
    return 1;
  }
  if (argc == 1) return read_frames();
  if (argc == 2 && strcmp(argv[1], "--bare") == 0) return read_bare();
  fprintf(stderr, "usage: %s [--bare] < frames.bin\n", argv[0]);
  return 2;
}
