/* The receive ring: the UART's interrupt writes, the program reads. Room for 16 link frames of 244 bytes. */
#ifndef DORMOUSE_RING_H
#define DORMOUSE_RING_H

#include <stdbool.h>
#include <stdint.h>

#define RING_BYTES 4096u /* a power of two, at least 16 × 244 */

/* A full ring leaves bytes in the UART: with flow control the sender waits, without it the UART overruns and the link's CRC tells. */
bool ring_has_room(void);
void ring_put(uint8_t byte);
uint32_t ring_waiting(void);
uint32_t ring_take(uint8_t *to, uint32_t most);
uint32_t ring_take_frame(uint8_t *to, uint32_t most); /* no further than the next delimiter, which is a zero */

#endif
