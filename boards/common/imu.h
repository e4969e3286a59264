/*
 * An IMU on the board's I²C bus, found by itself: LSM6DSOX or MPU-6050. The timer's interrupt reads a sample a tick, in the counts of the model's manifest
 * and turned as DORMOUSE_IMU_AXES says; the program takes them as link frames. A board without one gets its frames over the link.
 */
#ifndef DORMOUSE_IMU_H
#define DORMOUSE_IMU_H

#include <stdbool.h>
#include <stdint.h>

#define IMU_CHANNELS 6u
#define IMU_SAMPLES 16u /* that wait for the program: a worst-case hop takes several ticks */

struct imu_sample {
  uint32_t tick;
  int16_t counts[IMU_CHANNELS];
};

/* Starts the ticks. An IMU that does not answer within a second is held to be absent, and the ticks end. */
void imu_start(void);
void imu_tick(uint32_t ticks); /* so many have passed; more than one where interrupts were off */
uint32_t imu_waiting(void); /* samples that the program has not taken */
bool imu_take(struct imu_sample *to);

/* Link bytes for fd 0: the IMU's samples between the frames that come over the UART. Returns 0 where there are none. */
uint32_t imu_or_ring_take(uint8_t *to, uint32_t most);
bool imu_link_waiting(void); /* whether it has bytes that did not come over the UART */

#endif
