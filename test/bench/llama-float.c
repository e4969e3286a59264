// A Llama decoder in plain float32, what the integer core's speed is compared with (language.ts): reads a llama2.c checkpoint of version 0
// with a tied head and goes on greedily from token 1. Arguments: checkpoint, rounds, tokens. Prints one line of tokens, and one of the least
// microseconds per token over the rounds for each block of 8 positions.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int dim, hidden, layers, heads, kvHeads, vocab, context, headSize, kvDim;
static float *data, *embedding, *attGain, *wq, *wk, *wv, *wo, *ffnGain, *w1, *w2, *w3, *finalGain;
static float *x, *xb, *q, *hb, *hb2, *att, *logits, *keys, *values;

static float *take(float **p, long n) { float *at = *p; *p += n; return at; }

static void matmul(float *restrict out, const float *restrict in, const float *restrict w, int n, int d) {
  for (int i = 0; i < d; i++) {
    float sum = 0;
    for (int j = 0; j < n; j++) sum += w[(long)i * n + j] * in[j];
    out[i] = sum;
  }
}

static void norm(float *restrict out, const float *restrict in, const float *restrict gain, int n) {
  float ss = 0;
  for (int i = 0; i < n; i++) ss += in[i] * in[i];
  ss = 1.0f / sqrtf(ss / n + 1e-5f);
  for (int i = 0; i < n; i++) out[i] = gain[i] * (ss * in[i]);
}

static void rotate(float *v, int n, int position) {
  for (int i = 0; i < n; i += 2) {
    float angle = position * powf(10000.0f, -(float)(i % headSize) / headSize), c = cosf(angle), s = sinf(angle);
    float a = v[i], b = v[i + 1];
    v[i] = a * c - b * s;
    v[i + 1] = a * s + b * c;
  }
}

static void step(int token, int position) {
  memcpy(x, embedding + (long)token * dim, dim * sizeof(float));
  for (int l = 0; l < layers; l++) {
    float *k = keys + ((long)l * context + position) * kvDim, *v = values + ((long)l * context + position) * kvDim;
    norm(xb, x, attGain + l * dim, dim);
    matmul(q, xb, wq + (long)l * dim * dim, dim, dim);
    matmul(k, xb, wk + (long)l * kvDim * dim, dim, kvDim);
    matmul(v, xb, wv + (long)l * kvDim * dim, dim, kvDim);
    rotate(q, dim, position);
    rotate(k, kvDim, position);
    for (int h = 0; h < heads; h++) {
      const float *qh = q + h * headSize, *kh = keys + (long)l * context * kvDim + h * kvHeads / heads * headSize;
      const float *vh = values + (long)l * context * kvDim + h * kvHeads / heads * headSize;
      float most = -1e30f, sum = 0;
      for (int t = 0; t <= position; t++) {
        float score = 0;
        for (int i = 0; i < headSize; i++) score += qh[i] * kh[(long)t * kvDim + i];
        att[t] = score / sqrtf(headSize);
        if (att[t] > most) most = att[t];
      }
      for (int t = 0; t <= position; t++) sum += att[t] = expf(att[t] - most);
      for (int i = 0; i < headSize; i++) xb[h * headSize + i] = 0;
      for (int t = 0; t <= position; t++) {
        float a = att[t] / sum;
        for (int i = 0; i < headSize; i++) xb[h * headSize + i] += a * vh[(long)t * kvDim + i];
      }
    }
    matmul(hb, xb, wo + (long)l * dim * dim, dim, dim);
    for (int i = 0; i < dim; i++) x[i] += hb[i];
    norm(xb, x, ffnGain + l * dim, dim);
    matmul(hb, xb, w1 + (long)l * dim * hidden, dim, hidden);
    matmul(hb2, xb, w3 + (long)l * dim * hidden, dim, hidden);
    for (int i = 0; i < hidden; i++) hb[i] = hb[i] / (1.0f + expf(-hb[i])) * hb2[i];
    matmul(xb, hb, w2 + (long)l * dim * hidden, hidden, dim);
    for (int i = 0; i < dim; i++) x[i] += xb[i];
  }
  norm(x, x, finalGain, dim);
  matmul(logits, x, embedding, dim, vocab);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  FILE *f = argc == 4 ? fopen(argv[1], "rb") : NULL;
  int head[7], rounds = argc == 4 ? atoi(argv[2]) : 0, tokens = argc == 4 ? atoi(argv[3]) : 0, block = 8;
  if (!f || fread(head, 4, 7, f) != 7) return 1;
  dim = head[0], hidden = head[1], layers = head[2], heads = head[3], kvHeads = head[4], vocab = abs(head[5]), context = head[6];
  headSize = dim / heads, kvDim = headSize * kvHeads;
  fseek(f, 0, SEEK_END);
  long bytes = ftell(f) - 28;
  data = malloc(bytes);
  fseek(f, 28, SEEK_SET);
  if (fread(data, 1, bytes, f) != (size_t)bytes) return 1;
  float *p = data;
  embedding = take(&p, (long)vocab * dim), attGain = take(&p, layers * dim), wq = take(&p, (long)layers * dim * dim);
  wk = take(&p, (long)layers * dim * kvDim), wv = take(&p, (long)layers * dim * kvDim), wo = take(&p, (long)layers * dim * dim);
  ffnGain = take(&p, layers * dim), w1 = take(&p, (long)layers * dim * hidden), w2 = take(&p, (long)layers * dim * hidden);
  w3 = take(&p, (long)layers * dim * hidden), finalGain = take(&p, dim);
  float *all = calloc(dim * 3 + hidden * 2 + context + vocab + 2L * layers * context * kvDim, sizeof(float));
  x = take(&all, dim), xb = take(&all, dim), q = take(&all, dim), hb = take(&all, hidden), hb2 = take(&all, hidden);
  att = take(&all, context), logits = take(&all, vocab), keys = take(&all, (long)layers * context * kvDim), values = all;
  double *best = malloc(tokens / block * sizeof(double));
  for (int b = 0; b < tokens / block; b++) best[b] = 1e30;
  for (int r = 0; r < rounds; r++) {
    int token = 1;
    for (int b = 0; b < tokens / block; b++) {
      double t0 = now();
      for (int i = 0; i < block; i++) {
        step(token, b * block + i);
        token = 0;
        for (int j = 1; j < vocab; j++) if (logits[j] > logits[token]) token = j;
        if (r == 0) printf("%d ", token);
      }
      double t = (now() - t0) / block;
      if (t < best[b]) best[b] = t;
    }
  }
  printf("\n");
  for (int b = 0; b < tokens / block; b++) printf("%.3f ", best[b]);
  printf("\n");
}
