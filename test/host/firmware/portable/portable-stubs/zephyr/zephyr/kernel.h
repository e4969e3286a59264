/* What the Zephyr example calls, over standard input: it ends where the input ends. */
#pragma once
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ARG_UNUSED(x) (void)(x)
#define K_NO_WAIT 0
#define K_FOREVER (-1)
#define DT_CHOSEN(name) #name
#define DEVICE_DT_GET(name) (&console)
#define printk printf

struct device {
  void (*callback)(const struct device *, void *);
};
static struct device console;

struct k_msgq {
  uint8_t bytes[2048];
  size_t first, held;
};
#define K_MSGQ_DEFINE(name, size, count, align) static struct k_msgq name
static inline int k_msgq_put(struct k_msgq *queue, const void *byte, int wait) {
  ARG_UNUSED(wait);
  if (queue->held == sizeof(queue->bytes)) return -ENOMSG;
  queue->bytes[(queue->first + queue->held++) % sizeof(queue->bytes)] = *(const uint8_t *)byte;
  return 0;
}
static inline int k_msgq_get(struct k_msgq *queue, void *byte, int wait) {
  ARG_UNUSED(wait);
  if (queue->held == 0) console.callback(&console, NULL);
  if (queue->held == 0) exit(0);
  *(uint8_t *)byte = queue->bytes[queue->first];
  queue->first = (queue->first + 1) % sizeof(queue->bytes);
  queue->held--;
  return 0;
}
