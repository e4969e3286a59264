/*
 * Frames over a serial line, as the examples read them: DORMOUSE_CHANNELS int16, little-endian, then the CRC-16/CCITT-FALSE of those
 * bytes, little-endian. A receiver keeps the last DORMOUSE_FRAME_BYTES bytes and takes a frame wherever the CRC is right, so that a lost,
 * added or spoilt byte costs one frame (CRC-based framing: ITU-T I.432.1, section 4.3). A sender in Python:
 *
 *     frame = struct.pack("<@CHANNELS@h", *counts)
 *     port.write(frame + struct.pack("<H", binascii.crc_hqx(frame, 0xffff)))
 */
#ifndef DORMOUSE_FRAMES_H
#define DORMOUSE_FRAMES_H

#include <string.h>

#include "dormouse.h"

#define DORMOUSE_COUNT_BYTES (2 * DORMOUSE_CHANNELS)
#define DORMOUSE_FRAME_BYTES (DORMOUSE_COUNT_BYTES + 2)

/* All zeros at the start. */
typedef struct {
  uint8_t bytes[DORMOUSE_FRAME_BYTES];
  uint32_t held;    /* bytes in `bytes` */
  uint32_t skipped; /* bytes since the last frame that belonged to none */
  uint32_t lost;    /* such bytes in all; stays at its largest value */
  uint32_t next;    /* tick that comes next */
  uint32_t tick;    /* of the frame that dormouse_receive gave: frames that were lost count, so that the model knows of the gap */
} dormouse_receiver;

/* CRC-16/CCITT-FALSE: "123456789" gives 0x29b1. */
static inline uint16_t dormouse_crc16(const uint8_t *bytes, uint32_t count) {
  uint32_t crc = 0xffffu, i, bit;
  for (i = 0; i < count; i++) {
    crc ^= (uint32_t)bytes[i] << 8;
    for (bit = 0; bit < 8; bit++) crc = crc << 1 ^ (crc & 0x8000u ? 0x1021u : 0u);
    crc &= 0xffffu;
  }
  return (uint16_t)crc;
}

/* The counts that two bytes each stand for. */
static inline void dormouse_counts(const uint8_t *bytes, int16_t frame[DORMOUSE_CHANNELS]) {
  int c;
  for (c = 0; c < DORMOUSE_CHANNELS; c++) frame[c] = (int16_t)(uint16_t)(bytes[2 * c] | (uint32_t)bytes[2 * c + 1] << 8);
}

/* Takes the next byte of the line. 1 when it completes a frame: its counts are in `frame`, its tick in receiver->tick. Else 0. */
static inline int dormouse_receive(dormouse_receiver *receiver, uint8_t byte, int16_t frame[DORMOUSE_CHANNELS]) {
  uint8_t *bytes = receiver->bytes;
  bytes[receiver->held++] = byte;
  if (receiver->held < DORMOUSE_FRAME_BYTES) return 0;
  if (dormouse_crc16(bytes, DORMOUSE_COUNT_BYTES) != (uint16_t)(bytes[DORMOUSE_COUNT_BYTES] | bytes[DORMOUSE_COUNT_BYTES + 1] << 8)) {
    receiver->held--;
    memmove(bytes, bytes + 1, receiver->held);
    if (receiver->lost < UINT32_MAX) {
      receiver->skipped++;
      receiver->lost++;
    }
    return 0;
  }
  receiver->tick = receiver->next + (receiver->skipped + DORMOUSE_FRAME_BYTES - 1) / DORMOUSE_FRAME_BYTES;
  receiver->next = receiver->tick + 1;
  receiver->held = 0;
  receiver->skipped = 0;
  dormouse_counts(bytes, frame);
  return 1;
}

#endif /* DORMOUSE_FRAMES_H */
