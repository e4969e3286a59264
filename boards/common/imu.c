#include "imu.h"
#include "hal.h"
#include "i2c.h"

#define SEARCH_TICKS (DORMOUSE_FRAME_MILLIHERTZ / 1000u + 1u) /* an LSM6DSOX takes 10 ms to start, an MPU-6050 30 ms */

struct write {
  uint8_t reg, value;
};

/* ±16 g at 1/2048 g a step in both; ±2000 °/s at gyroCounts / gyroSteps sixteenths of a degree per second a step. */
struct kind {
  uint8_t addresses[2];
  uint8_t idRegister, id;
  struct write setup[5];
  uint8_t data, bytes, accel, gyro; /* first data register, how many, offsets */
  bool isBigEndian;
  int8_t gyroCounts, gyroSteps;
};

static const struct kind kinds[] = {
    /* LSM6DSOX, DS12814: 104 Hz; accelerometer low-pass at 26 Hz (ODR / 4), gyroscope at 33 Hz; blocks are read as one; 70 m°/s a step. */
    {{0x6a, 0x6b}, 0x0f, 0x6c, {{0x12, 0x44}, {0x10, 0x46}, {0x17, 0x00}, {0x11, 0x4c}, {0x13, 0x00}}, 0x22, 12, 6, 0, false, 28, 25},
    /* MPU-6050, RM-MPU-6000A: awake on the gyroscope's clock, low-pass at 21 and 20 Hz, 100 Hz; 1/16.4 °/s a step. */
    {{0x68, 0x69}, 0x75, 0x68, {{0x6b, 0x01}, {0x1a, 0x04}, {0x19, 0x09}, {0x1b, 0x18}, {0x1c, 0x18}}, 0x3b, 14, 0, 8, true, 40, 41},
};

static const int8_t axes[3] = {DORMOUSE_IMU_AXES}; /* the body's x, y, z as the chip's: 1 x, 2 y, 3 z, negative where it points the other way */

/* The model's counts per 1/2048 g and per 1/16 °/s, a fraction n/d per channel: host/firmware/mcu/frame-source.ts bounds both terms. */
static const int16_t scales[IMU_CHANNELS][2] = {DORMOUSE_IMU_SCALES};

static const struct kind *kind; /* 0: none was found */
static uint8_t address;
static uint32_t tick;
static bool isLost; /* it did not answer, or has forgotten its set-up */

/* The timer's interrupt writes, the program reads. */
static struct imu_sample samples[IMU_SAMPLES];
static volatile uint32_t head, tail;

uint32_t imu_waiting(void) { return head - tail; }

bool imu_take(struct imu_sample *to) {
  uint32_t at = tail;
  if (head == at) return false;
  *to = samples[at % IMU_SAMPLES];
  COMPILER_BARRIER();
  tail = at + 1;
  return true;
}

static bool setup(const struct kind *of, uint8_t at) {
  uint8_t id;
  if (!i2c_read(at, of->idRegister, &id, 1) || id != of->id) return false;
  for (uint32_t i = 0; i < sizeof of->setup / sizeof of->setup[0]; i++)
    if (!i2c_write(at, of->setup[i].reg, of->setup[i].value)) return false;
  return true;
}

static bool find(void) {
  for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    for (uint32_t j = 0; j < 2; j++)
      if (setup(&kinds[i], kinds[i].addresses[j])) {
        kind = &kinds[i];
        address = kinds[i].addresses[j];
        return true;
      }
  return false;
}

static int16_t saturated(int32_t value) { return (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value); }

/* Three axes of a sensor in the model's counts: one fraction, rounded once to the nearest count, halves away from zero. */
static void turn(const uint8_t *from, int32_t counts, int32_t steps, const int16_t (*scale)[2], int16_t *to) {
  for (uint32_t i = 0; i < 3; i++) {
    int32_t axis = axes[i] < 0 ? -axes[i] : axes[i];
    const uint8_t *p = from + 2 * (axis - 1);
    int32_t value = (int16_t)(kind->isBigEndian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]) * (counts * scale[i][0]);
    int32_t per = steps * scale[i][1];
    if (axes[i] < 0) value = -value;
    to[i] = saturated((value + (value < 0 ? -per : per) / 2) / per);
  }
}

static bool sense(struct imu_sample *sample) {
  uint8_t raw[14];
  if (!i2c_read(address, kind->data, raw, kind->bytes)) return false;
  uint32_t any = 0;
  for (uint32_t i = 0; i < 6; i++) any |= raw[kind->accel + i] | raw[kind->gyro + i];
  if (any == 0) return false; /* its outputs after power-on */
  sample->tick = tick;
  turn(raw + kind->accel, 1, 1, scales, sample->counts);
  turn(raw + kind->gyro, kind->gyroCounts, kind->gyroSteps, scales + 3, sample->counts + 3);
  return true;
}

/* A sample that cannot be read, or for which there is no room, is a frame lost: its tick is missing, and the model knows what to do. */
void imu_tick(uint32_t ticks) {
  tick += ticks;
  if (kind == 0) {
    if (!find() && tick >= SEARCH_TICKS) hal_tick_stop();
    return;
  }
  uint32_t at = head;
  if (at - tail == IMU_SAMPLES) return;
  isLost = (isLost && !setup(kind, address)) || !sense(&samples[at % IMU_SAMPLES]);
  if (isLost) return;
  COMPILER_BARRIER();
  head = at + 1;
}

void imu_start(void) { hal_tick_start(DORMOUSE_FRAME_MILLIHERTZ); }
