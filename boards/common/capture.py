"""Sends an IMU's samples over USB as `dormouse capture` reads them: copy this file as main.py to a board that runs MicroPython.

The parts, their set-up and the counts are those of imu.c: what is recorded is what the firmware senses later. An LSM6DSOX (0x6A, 0x6B)
or an MPU-6050 (0x68, 0x69) is found by itself. Change SDA, SCL and AXES here.
"""

import struct
import sys

SDA, SCL = 4, 5  # the Pico's GP4 and GP5, as its firmware has them
AXES = "+x+y+z"  # as --imu-axes of dormouse build: the body's x, y, z as the chip's
RATE_HZ = 50

# addresses, (register, identity), set-up, first data register, bytes, offset of the accelerometer and of the gyroscope, byte order,
# gyroscope's sixteenths of a degree per second per step as a fraction. Both accelerometers: 2048 steps per g.
KINDS = (
    ((0x6A, 0x6B), (0x0F, 0x6C), ((0x12, 0x44), (0x10, 0x46), (0x17, 0x00), (0x11, 0x4C), (0x13, 0x00)), 0x22, 12, 6, 0, "<", 28, 25),
    ((0x68, 0x69), (0x75, 0x68), ((0x6B, 0x01), (0x1A, 0x04), (0x19, 0x09), (0x1B, 0x18), (0x1C, 0x18)), 0x3B, 14, 0, 8, ">", 40, 41),
)


def crc16(data):
    """CRC-16/CCITT-FALSE."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def stuffed(data):
    """COBS of at most 254 bytes, and the zero that ends a frame."""
    out = bytearray()
    for part in bytes(data).split(b"\0"):
        out.append(len(part) + 1)
        out += part
    out.append(0)
    return bytes(out)


def sensor_frame(tick, counts):
    """A link frame (type 2, agent 255) with one sample of int16 counts."""
    body = struct.pack("<BHBIBB6h", 2, tick & 0xFFFF, 255, tick & 0xFFFFFFFF, 1, 6, *counts)
    return stuffed(body + struct.pack("<H", crc16(body)))


def counts(kind, raw, axes=AXES):
    """A sample's counts, 2048 per g and 16 per degree per second, turned as `axes` says; rounded as imu.c does."""
    accel, gyro, order, times, per = kind[5:]
    result = []
    for offset, n, d in ((accel, 1, 1), (gyro, times, per)):
        chip = struct.unpack(order + "3h", raw[offset : offset + 6])
        for i in range(3):
            sign, axis = axes[2 * i], "xyz".index(axes[2 * i + 1])
            value = chip[axis] * n * (-1 if sign == "-" else 1)
            rounded = (abs(value) + d // 2) // d
            result.append(max(-32768, min(32767, rounded if value >= 0 else -rounded)))
    return result


def main():
    import time

    from machine import I2C, Pin  # ty: ignore[unresolved-import]

    bus = I2C(0, sda=Pin(SDA), scl=Pin(SCL), freq=400_000)

    def find():
        for kind in KINDS:
            for address in kind[0]:
                try:
                    if bus.readfrom_mem(address, kind[1][0], 1)[0] != kind[1][1]:
                        continue
                    for register, value in kind[2]:
                        bus.writeto_mem(address, register, bytes([value]))
                    return kind, address
                except OSError:
                    pass
        return None

    tick, found, due = 0, None, time.ticks_us()
    while True:
        due = time.ticks_add(due, 1_000_000 // RATE_HZ)
        time.sleep_us(max(0, time.ticks_diff(due, time.ticks_us())))
        tick += 1
        try:
            found = found or find()
            if found is None:
                continue
            kind, address = found
            sys.stdout.buffer.write(sensor_frame(tick, counts(kind, bus.readfrom_mem(address, kind[3], kind[4]))))
        except OSError:  # a sample lost: its tick is missing
            found = None


if sys.implementation.name == "micropython":
    main()
