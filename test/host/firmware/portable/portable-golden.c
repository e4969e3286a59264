/* Runs a script of calls from a file against the exported library, and prints all that comes out: what the host's session must equal.
 * A call is a byte: f (u32 tick, frame), r(eset), d(ecide), l(ogits), g(overn: words), s(napshot), b(ack to the snapshot). Little-endian. */
#include <stdio.h>
#include <string.h>

#include "dormouse.h"

static uint32_t snapshot[(DORMOUSE_SNAPSHOT_BYTES + 3) / 4];

static uint32_t fnv(const void *bytes, uint32_t count) {
  const uint8_t *p = bytes;
  uint32_t hash = 2166136261u;
  while (count-- > 0) hash = (hash ^ *p++) * 16777619u;
  return hash;
}

static void print_decision(const dormouse_decision *d) {
  printf("d %ld %ld %ld %ld %lu %lu %lu %ld %lu\n", (long)d->label, (long)d->exit, (long)d->confidence_q15, (long)d->why,
         (unsigned long)d->tick, (unsigned long)d->patch, (unsigned long)d->macs, (long)d->rebuilds, (unsigned long)d->steps);
}

int main(int argc, char **argv) {
  FILE *script = fopen(argc > 1 ? argv[1] : "golden.bin", "rb");
  int call;
  const int status = dormouse_init();
  printf("init %d %s\n", status, dormouse_label(0));
  if (script == NULL || status != 0) return 1;
  while ((call = fgetc(script)) != EOF) {
    dormouse_decision d;
    if (call == 'f') {
      uint32_t tick;
      int16_t frame[DORMOUSE_CHANNELS];
      int flags;
      if (fread(&tick, 4, 1, script) != 1 || fread(frame, sizeof(frame), 1, script) != 1) return 1;
      flags = dormouse_step(frame, tick, &d);
      if (flags & ~DORMOUSE_PATCH) printf("f %d\n", flags);
      if (flags & DORMOUSE_DECISION) print_decision(&d);
    } else if (call == 'r') {
      dormouse_reset();
    } else if (call == 'd') {
      dormouse_decide(&d);
      print_decision(&d);
    } else if (call == 'l') {
      int16_t logits[DORMOUSE_EXITS][DORMOUSE_CLASSES];
      int exit, c;
      dormouse_logits(logits);
      printf("l");
      for (exit = 0; exit < DORMOUSE_EXITS; exit++) {
        for (c = 0; c < DORMOUSE_CLASSES; c++) printf(" %d", logits[exit][c]);
      }
      printf("\n");
    } else if (call == 'g') {
      dormouse_set_point g;
      if (fread(&g, sizeof(g), 1, script) != 1) return 1;
      printf("g %d\n", dormouse_govern(&g));
    } else if (call == 's') {
      const int result = dormouse_snapshot(snapshot);
      printf("s %d %lu\n", result, (unsigned long)fnv(snapshot, DORMOUSE_SNAPSHOT_BYTES));
    } else if (call == 'b') {
      printf("b %d\n", dormouse_restore(snapshot, DORMOUSE_SNAPSHOT_BYTES));
    } else {
      return 1;
    }
  }
  printf("torn %d misaligned %d\n", dormouse_restore(snapshot, 7) != 0, dormouse_snapshot((uint8_t *)snapshot + 1));
  snapshot[9] ^= 1;
  printf("damaged %d\n", dormouse_restore(snapshot, DORMOUSE_SNAPSHOT_BYTES));
  return 0;
}
