// The net of a sensor model in plain float32, one patch at a time: what the C export's speed is compared with (c-export.ts). net.h has the
// shapes, and the image's own weights times their scales, so that every value is the fixed-point net's without its rounding. Rows of weights
// lie input by input: the inner loop adds to many outputs, which compilers vectorise without leave to reorder sums.
// Arguments: a file of windows (windowPatches, PATCH) s8, rounds. Prints the logits of the last exit per window, and the least microseconds per window.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "net.h"

static float residual[D], normed[WIDEST], rows[WIDEST], inner[WIDEST], states[BLOCKS][STATE], logits[EXITS][CLASSES];

static void linear(const float *restrict w, const float *restrict b, const float *restrict x, float *restrict y, int nIn, int nOut) {
  memcpy(y, b, nOut * sizeof(float));
  for (int i = 0; i < nIn; i++)
    for (int o = 0; o < nOut; o++) y[o] += w[i * nOut + o] * x[i];
}

static void norm(const float *restrict x, float *restrict y, int n, float epsilon) {
  float sum = epsilon;
  for (int i = 0; i < n; i++) sum += x[i] * x[i];
  const float scale = 32.0f * sqrtf(n / sum);
  for (int i = 0; i < n; i++) y[i] = x[i] * scale;
}

static float silu(float x, const float *scales) { return scales[1] * x / (1.0f + expf(-scales[0] * x)); }

static void add(const Linear *l, const float *x, int nIn) {
  linear(l->w, l->b, x, rows, nIn, D);
  for (int i = 0; i < D; i++) residual[i] += rows[i];
}

static void ssm(const Block *k, float *past, float *state) {
  float *z = rows, *x = z + INNER, *b = x + INNER, *c = b + N, *raw = c + N, *y = inner;
  norm(residual, normed, D, k->epsilon);
  linear(k->in.w, k->in.b, normed, rows, D, 2 * INNER + 2 * N + HEADS);
  for (int i = 0; i < INNER; i++) {
    float sum = k->convBias[i] + k->conv[(TAPS - 1) * INNER + i] * x[i];
    for (int t = 0; t < TAPS - 1; t++) sum += k->conv[t * INNER + i] * past[t * INNER + i];
    y[i] = silu(sum, k->siluX);
  }
  memmove(past, past + INNER, (TAPS - 2) * INNER * sizeof(float));
  memcpy(past + (TAPS - 2) * INNER, x, INNER * sizeof(float));
  for (int h = 0; h < HEADS; h++) {
    const float dt = log1pf(expf(raw[h])), a = exp2f(-dt * k->a[h]);
    for (int p = h * INNER / HEADS; p < (h + 1) * INNER / HEADS; p++, state += N) {
      const float u = y[p];
      float sum = k->d[h] * u;
      for (int n = 0; n < N; n++) state[n] = a * state[n] + dt * b[n] * u;
      for (int n = 0; n < N; n++) sum += c[n] * state[n];
      y[p] = k->y * sum * silu(z[p], k->siluZ);
    }
  }
  norm(y, normed, INNER, k->gateEpsilon);
  add(&k->out, normed, INNER);
}

static void attention(const Block *k, float *keys, float *values, int seen) {
  const int kv = KV_HEADS * HEAD, n = seen + 1 < SLOTS ? seen + 1 : SLOTS;
  norm(residual, normed, D, k->epsilon);
  linear(k->in.w, k->in.b, normed, rows, D, Q_HEADS * HEAD + 2 * kv);
  memcpy(keys + seen % SLOTS * kv, rows + Q_HEADS * HEAD, kv * sizeof(float));
  memcpy(values + seen % SLOTS * kv, rows + Q_HEADS * HEAD + kv, kv * sizeof(float));
  for (int h = 0; h < Q_HEADS; h++) {
    const float *q = rows + h * HEAD, *key = keys + h * KV_HEADS / Q_HEADS * HEAD, *value = values + h * KV_HEADS / Q_HEADS * HEAD;
    float p[SLOTS], o[HEAD] = {0}, top = -INFINITY, sum = 0;
    for (int j = 0; j < n; j++) {
      p[j] = 0;
      for (int i = 0; i < HEAD; i++) p[j] += q[i] * key[j * kv + i];
      top = fmaxf(top, p[j]);
    }
    for (int j = 0; j < n; j++) sum += p[j] = exp2f((p[j] - top) * k->score);
    for (int j = 0; j < n; j++)
      for (int i = 0; i < HEAD; i++) o[i] += p[j] * value[j * kv + i];
    for (int i = 0; i < HEAD; i++) inner[h * HEAD + i] = o[i] * k->y / sum;
  }
  add(&k->out, inner, Q_HEADS * HEAD);
  norm(residual, normed, D, k->gateEpsilon);
  linear(k->up.w, k->up.b, normed, rows, D, 2 * MLP);
  for (int i = 0; i < MLP; i++) inner[i] = k->mlp * silu(rows[i], k->siluX) * rows[MLP + i];
  add(&k->down, inner, MLP);
}

static void window(const signed char *patches, int count) {
  float patch[PATCH];
  memset(states, 0, sizeof(states));
  for (int t = 0; t < count; t++, patches += PATCH) {
    for (int i = 0; i < PATCH; i++) patch[i] = patches[i];
    linear(EMBED.w, EMBED.b, patch, residual, PATCH, D);
    for (int b = 0, e = 0; b < BLOCKS; b++) {
      if (net[b].isSsm) ssm(&net[b], states[b], states[b] + (TAPS - 1) * INNER);
      else attention(&net[b], states[b], states[b] + SLOTS * KV_HEADS * HEAD, t);
      if (exits[e].after != b) continue;
      if (t == count - 1) norm(residual, normed, D, exits[e].epsilon), linear(exits[e].head.w, exits[e].head.b, normed, logits[e], D, CLASSES);
      e++;
    }
  }
}

int main(int argc, char **argv) {
  static signed char input[1 << 20];
  FILE *file = fopen(argv[1], "rb");
  const int bytes = argc > 2 && file ? (int)fread(input, 1, sizeof(input), file) : 0, size = PATCHES * PATCH;
  double least = 1e30;
  for (int r = 0; r < atoi(argv[2]); r++) {
    for (int at = 0; at + size <= bytes; at += size) {
      struct timespec from, to;
      clock_gettime(CLOCK_MONOTONIC, &from);
      window(input + at, PATCHES);
      clock_gettime(CLOCK_MONOTONIC, &to);
      const double micros = (to.tv_sec - from.tv_sec) * 1e6 + (to.tv_nsec - from.tv_nsec) * 1e-3;
      if (micros < least) least = micros;
      if (r > 0) continue;
      for (int c = 0; c < CLASSES; c++) printf("%.1f ", logits[EXITS - 1][c]);
      printf("\n");
    }
  }
  printf("%.2f\n", least);
  return 0;
}
