/*
 * An I²C controller on two open-drain pins, 400 kHz or less. A polled peripheral would keep the core as busy, and this one is the same code on
 * every board, run in emulation against an emulated IMU. Source: NXP UM10204, 3.1 (bus protocol, clock stretching) and 3.1.16 (bus clear).
 */
#ifndef DORMOUSE_I2C_H
#define DORMOUSE_I2C_H

#include <stdbool.h>
#include <stdint.h>

/* `bytes` registers from `reg` on, and one register. False where the device does not acknowledge or the bus is held. */
bool i2c_read(uint8_t device, uint8_t reg, uint8_t *to, uint32_t bytes);
bool i2c_write(uint8_t device, uint8_t reg, uint8_t value);

#endif
