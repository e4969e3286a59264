/* The IMU's samples as link frames (assembly/README.md): type, u16 sequence, agent, payload, CRC-16; COBS; a delimiter. */
#include "hal.h"
#include "imu.h"
#include "layout.h"
#include "ring.h"

#define PAYLOAD_BYTES (SENSOR_HEADER_BYTES + 2u * IMU_CHANNELS)
#define FRAME_BYTES (LINK_HEADER_BYTES + PAYLOAD_BYTES + LINK_CRC_BYTES)

static uint8_t wire[FRAME_BYTES + 3]; /* a delimiter first, the COBS code, a delimiter last */
static uint32_t wireAt, wireEnd;
static bool isInFrame; /* the UART is in the middle of one */

/* CRC-16/CCITT-FALSE. */
static uint16_t crc16(const uint8_t *p, uint32_t n) {
  uint32_t crc = 0xffff;
  for (; n > 0; n--) {
    crc ^= (uint32_t)*p++ << 8;
    for (uint32_t i = 0; i < 8; i++) crc = crc << 1 ^ (crc & 0x8000u ? 0x1021u : 0u);
  }
  return (uint16_t)crc;
}

/* COBS of fewer than 254 bytes. Returns how many it wrote. */
static uint32_t cobs(const uint8_t *from, uint32_t n, uint8_t *to) {
  uint32_t code = 0, at = 1;
  for (uint32_t i = 0; i < n; i++) {
    if (from[i] != 0) to[at++] = from[i];
    else {
      to[code] = (uint8_t)(at - code);
      code = at++;
    }
  }
  to[code] = (uint8_t)(at - code);
  return at;
}

static void encode(const struct imu_sample *sample) {
  uint8_t frame[FRAME_BYTES] = {LINK_LOCAL_SENSOR, 0, 0, LINK_DEVICE};
  uint8_t *p = frame + LINK_HEADER_BYTES;
  for (uint32_t i = 0; i < 4; i++) *p++ = (uint8_t)(sample->tick >> 8 * i);
  *p++ = 1;
  *p++ = IMU_CHANNELS;
  for (uint32_t i = 0; i < IMU_CHANNELS; i++) {
    *p++ = (uint8_t)sample->counts[i];
    *p++ = (uint8_t)(sample->counts[i] >> 8);
  }
  uint16_t crc = crc16(frame, LINK_HEADER_BYTES + PAYLOAD_BYTES);
  *p++ = (uint8_t)crc;
  *p++ = (uint8_t)(crc >> 8);
  wire[0] = 0;
  wireEnd = 1 + cobs(frame, FRAME_BYTES, wire + 1);
  wire[wireEnd++] = 0;
  wireAt = 0;
}

/* A sample goes between two frames of the UART. A frame that stays unfinished while half the samples' room fills is cut off. */
static bool may_cut_in(void) { return !isInFrame || (ring_waiting() == 0 && imu_waiting() >= IMU_SAMPLES / 2); }

bool imu_link_waiting(void) { return wireAt < wireEnd || (imu_waiting() > 0 && may_cut_in()); }

uint32_t imu_or_ring_take(uint8_t *to, uint32_t most) {
  struct imu_sample sample;
  if (wireAt == wireEnd && may_cut_in() && imu_take(&sample)) {
    encode(&sample);
    if (!isInFrame) wireAt = 1;
    isInFrame = false;
  }
  if (wireAt < wireEnd) {
    uint32_t n = 0;
    while (n < most && wireAt < wireEnd) to[n++] = wire[wireAt++];
    return n;
  }
  uint32_t n = ring_take_frame(to, most);
  if (n > 0) isInFrame = to[n - 1] != 0;
  return n;
}
