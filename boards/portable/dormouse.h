/*
 * Dormouse: the @AGENT@ agent (model @MODEL@) as a C library. Integers only, no heap, no input or output, constant memory.
 * One instance a program; not reentrant: call it from one thread, and not from interrupts.
 *
 *     dormouse_decision decision;
 *     if (dormouse_init() != 0) fail();
 *     for (uint32_t tick = 0;; tick++) {
 *       int16_t frame[DORMOUSE_CHANNELS];               // @CHANNEL_NAMES@
 *       read_sensor(frame);                             // every 1/@RATE_HZ@ s
 *       if (dormouse_step(frame, tick, &decision) & DORMOUSE_DECISION) use(dormouse_label(decision.label));
 *     }
 */
#ifndef DORMOUSE_H
#define DORMOUSE_H

#include <stdint.h>

#if UINTPTR_MAX < 0xffffffff
#error "Dormouse needs pointers of 32 bits or more: this board (an 8- or 16-bit one, such as an AVR) cannot run it."
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define DORMOUSE_AGENT "@AGENT@"
#define DORMOUSE_MODEL "@MODEL@"
#define DORMOUSE_MODEL_SHA256 "@MODEL_SHA256@"
#define DORMOUSE_VERSION "@VERSION@"

#define DORMOUSE_CHANNELS @CHANNELS@            /* int16 values of a frame */
#define DORMOUSE_RATE_MILLIHERTZ @RATE_MILLIHERTZ@ /* frames in 1000 s */
#define DORMOUSE_HOP_FRAMES @HOP_FRAMES@         /* frames between two decisions, unless a set-point says otherwise */
#define DORMOUSE_CLASSES @CLASSES@
#define DORMOUSE_EXITS @EXITS@
#define DORMOUSE_ARENA_BYTES @ARENA_BYTES@
#define DORMOUSE_MODEL_BYTES @MODEL_BYTES@
#define DORMOUSE_SNAPSHOT_BYTES @SNAPSHOT_BYTES@

/* Flags that dormouse_step returns. */
#define DORMOUSE_PATCH 1     /* a model step was completed */
#define DORMOUSE_DECISION 2  /* *decision was written */
#define DORMOUSE_HELD 4      /* a short gap in the ticks: the last frame was held */
#define DORMOUSE_RESET 8     /* a long gap: the state began anew */
#define DORMOUSE_IGNORED 16  /* the tick did not advance: the frame was not taken */

/* Why a decision came out as it did. */
#define DORMOUSE_WHY_EXIT 0     /* sure enough */
#define DORMOUSE_WHY_ASK 1      /* unsure, and a bigger model may be asked */
#define DORMOUSE_WHY_DEFERRED 2 /* unsure */
#define DORMOUSE_WHY_BUDGET 3   /* unsure, and the set-point forbade to go deeper, for energy */
#define DORMOUSE_WHY_THERMAL 4  /* unsure, and the set-point forbade to go deeper, for heat */

typedef struct {
  int32_t label;          /* index for dormouse_label */
  int32_t exit;           /* 0 … DORMOUSE_EXITS − 1: how deep it went */
  int32_t confidence_q15; /* 0 … 32768 */
  int32_t why;            /* DORMOUSE_WHY_… */
  uint32_t tick;          /* of the frame that completed it */
  uint32_t patch;         /* model steps since the last reset */
  uint32_t macs;          /* multiply-accumulates since the decision before */
  int32_t rebuilds;       /* segments rebuilt because their ring had overflowed */
  uint32_t steps;         /* block steps since the decision before */
} dormouse_decision;

/* What a governor lets the model do. The model never answers below its certified thresholds. */
typedef struct {
  int32_t max_exit;          /* 0 … DORMOUSE_EXITS − 1 */
  int32_t hop_patches;       /* model steps between two decisions */
  int32_t ask_allowed;       /* 0 or 1 */
  int32_t limit_reason;      /* 0, DORMOUSE_WHY_BUDGET or DORMOUSE_WHY_THERMAL: why max_exit is not the last */
  int32_t ask_interval_hops; /* at most one ask in so many decisions */
  int32_t thresholds[DORMOUSE_EXITS]; /* Q15 */
} dormouse_set_point;

/* Checks the model and begins anew. Call it first. 0, or a negative status: a damaged model (a STATUS_ of assembly/layout.ts). */
int dormouse_init(void);

/* Begins anew, as after a long gap. */
void dormouse_reset(void);

/* Takes one frame. Returns DORMOUSE_ flags; writes *decision when DORMOUSE_DECISION is among them. */
int dormouse_step(const int16_t frame[DORMOUSE_CHANNELS], uint32_t tick, dormouse_decision *decision);

/* Decides now, whatever the hop. */
void dormouse_decide(dormouse_decision *decision);

/* Puts a set-point in force. 0, or a negative status and the old one stays. */
int dormouse_govern(const dormouse_set_point *set_point);

/* Runs to full depth and writes the logits of every exit, Q10. */
void dormouse_logits(int16_t logits[DORMOUSE_EXITS][DORMOUSE_CLASSES]);

/* Writes the state, DORMOUSE_SNAPSHOT_BYTES: it survives sleep and reboot, and any other Dormouse of this model can go on from it.
 * `to` is aligned to 4. 0, or −1 when it is not. */
int dormouse_snapshot(void *to);

/* Takes a snapshot back. `from` is aligned to 4. 0, or a negative status and the state stays as it is. */
int dormouse_restore(const void *from, uint32_t bytes);

/* The name of a label; "?" for an index that is none. */
const char *dormouse_label(int32_t label);

/* Called when the library meets a defect of its own; it does not return. Define it to override: the default calls abort(). */
void dormouse_trap(int code);

#ifdef __cplusplus
}
#endif
#endif /* DORMOUSE_H */
