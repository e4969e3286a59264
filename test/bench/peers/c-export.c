/* A window through the exported library, for c-export.ts. Arguments: a file of windows (frames, channels) s16, rounds.
 * Prints the logits of the last exit per window, and the least microseconds per window. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dormouse.h"

#define MAX_FRAMES 65536

int main(int argc, char **argv) {
  static int16_t input[MAX_FRAMES][DORMOUSE_CHANNELS];
  const int frames = argc > 3 ? atoi(argv[3]) : 1; /* of a window */
  FILE *file = argc > 3 ? fopen(argv[1], "rb") : NULL;
  const int count = file ? (int)fread(input, sizeof(input[0]), MAX_FRAMES, file) : 0;
  dormouse_set_point all = {.max_exit = DORMOUSE_EXITS - 1, .hop_patches = 16, .ask_interval_hops = 1};
  double least = 1e30;
  for (int e = 0; e < DORMOUSE_EXITS; e++) all.thresholds[e] = 32769;
  if (dormouse_init() != 0 || dormouse_govern(&all) != 0) return 1;
  for (int r = 0; r < atoi(argv[2]); r++) {
    for (int at = 0; at + frames <= count; at += frames) {
      struct timespec from, to;
      dormouse_decision decision;
      int16_t logits[DORMOUSE_EXITS][DORMOUSE_CLASSES];
      clock_gettime(CLOCK_MONOTONIC, &from);
      dormouse_reset();
      for (int i = 0; i < frames; i++) dormouse_step(input[at + i], (uint32_t)i + 1, &decision);
      clock_gettime(CLOCK_MONOTONIC, &to);
      const double micros = (to.tv_sec - from.tv_sec) * 1e6 + (to.tv_nsec - from.tv_nsec) * 1e-3;
      if (micros < least) least = micros;
      if (r > 0) continue;
      dormouse_logits(logits);
      for (int c = 0; c < DORMOUSE_CLASSES; c++) printf("%d ", logits[DORMOUSE_EXITS - 1][c]);
      printf("\n");
    }
  }
  printf("%.2f\n", least);
  return 0;
}
