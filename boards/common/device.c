/*
 * The firmware: device.wasm, and the WASI functions that it imports. fd 0 and 1 are the link's UART, fd 4 is the store in flash, a wait is WFI.
 * The image lies in flash and is read in place.
 */
#include "device.h"
#include "hal.h"
#include "imu.h"
#include "ring.h"
#include "wasm-host.h"

#define EBADF 8u
#define EIO 29u
#define ENOENT 44u
#define STORE_FD 4u
#define WATCHDOG_MILLIS 4000u

extern const uint8_t dormouse_model[], dormouse_model_end[], dormouse_store_header[], __store_start[], __readable_start[], __readable_end[];
static Z_device_instance_t device;

struct Z_wasi_snapshot_preview1_instance_t;
#define WASI struct Z_wasi_snapshot_preview1_instance_t *wasi __attribute__((unused))

static uint8_t *at(uint32_t address) { return DORMOUSE_MEMORY_BASE + address; }
static uint32_t word_at(uint32_t address) { return *(uint32_t *)(void *)at(address); }
static void set_word(uint32_t address, uint32_t value) { *(uint32_t *)(void *)at(address) = value; }

static uint32_t done(uint32_t result, uint32_t bytes) {
  set_word(result, bytes);
  return 0;
}

#if DORMOUSE_IMU
static uint32_t link_take(uint8_t *to, uint32_t most) { return imu_or_ring_take(to, most); }
#else
static uint32_t link_take(uint8_t *to, uint32_t most) { return ring_take(to, most); }
#endif

/* Work ends where the device waits for its next byte, and begins with it. */
uint32_t Z_wasi_snapshot_preview1Z_fd_read(WASI, uint32_t fd, uint32_t iov, uint32_t count, uint32_t result) {
  (void)count;
  if (fd != 0) return EBADF;
  uint8_t *to = at(word_at(iov));
  uint32_t n = link_take(to, word_at(iov + 4));
  if (n == 0) {
    hal_mark(false);
    do {
      hal_watchdog_feed();
      hal_sleep();
      n = link_take(to, word_at(iov + 4));
    } while (n == 0);
    hal_mark(true);
  }
  hal_watchdog_feed();
  return done(result, n);
}

uint32_t Z_wasi_snapshot_preview1Z_fd_write(WASI, uint32_t fd, uint32_t iov, uint32_t count, uint32_t result) {
  (void)count;
  if (fd != 1) return EBADF;
  uint32_t n = word_at(iov + 4);
  const uint8_t *p = at(word_at(iov));
  for (uint32_t i = 0; i < n; i++) hal_uart_put(p[i]);
  return done(result, n);
}

static bool hasStore;

#if DORMOUSE_STORE_BYTES > 0
#define STORE_HEADER_BYTES (4u * STORE_HEADER_WORDS)

/* A store whose header is another's, or none, begins anew; what else lies there has its own checksums. False where this flash cannot be written. */
static bool open_store(void) {
  uint32_t to = (uint32_t)(uintptr_t)__store_start;
  if (memcmp(__store_start, dormouse_store_header, STORE_HEADER_BYTES) == 0) return true;
  return hal_flash_erase(to, DORMOUSE_STORE_SECTOR_BYTES) && hal_flash_write(to, dormouse_store_header, STORE_HEADER_BYTES) &&
         memcmp(__store_start, dormouse_store_header, STORE_HEADER_BYTES) == 0;
}
#endif

uint32_t Z_wasi_snapshot_preview1Z_path_open(WASI, uint32_t dir, uint32_t lookup, uint32_t path, uint32_t pathBytes, uint32_t how, uint64_t rights,
                                             uint64_t inherited, uint32_t flags, uint32_t opened) {
  (void)dir, (void)lookup, (void)path, (void)pathBytes, (void)how, (void)rights, (void)inherited, (void)flags;
  return hasStore ? done(opened, STORE_FD) : ENOENT; /* it asks for `store` alone */
}

static bool in_store(uint32_t fd, uint64_t offset, uint32_t bytes) {
  return fd == STORE_FD && offset <= DORMOUSE_STORE_BYTES && bytes <= DORMOUSE_STORE_BYTES - offset;
}

uint32_t Z_wasi_snapshot_preview1Z_fd_pread(WASI, uint32_t fd, uint32_t iov, uint32_t count, uint64_t offset, uint32_t result) {
  (void)count;
  uint32_t n = word_at(iov + 4);
  if (!in_store(fd, offset, n)) return EBADF;
  memcpy(at(word_at(iov)), __store_start + (uint32_t)offset, n);
  return done(result, n);
}

/* A write that begins a sector erases it; the device writes each sector in ascending order, 16 bytes or more at a time. */
uint32_t Z_wasi_snapshot_preview1Z_fd_pwrite(WASI, uint32_t fd, uint32_t iov, uint32_t count, uint64_t offset, uint32_t result) {
  (void)count;
  uint32_t n = word_at(iov + 4), to = (uint32_t)(uintptr_t)__store_start + (uint32_t)offset;
  if (!in_store(fd, offset, n)) return EBADF;
  hal_watchdog_feed();
  if ((uint32_t)offset % DORMOUSE_STORE_SECTOR_BYTES == 0 && !hal_flash_erase(to, DORMOUSE_STORE_SECTOR_BYTES)) return EIO;
  if (!hal_flash_write(to, at(word_at(iov)), n)) return EIO;
  return memcmp(__store_start + (uint32_t)offset, at(word_at(iov)), n) == 0 ? done(result, n) : EIO;
}

uint32_t Z_wasi_snapshot_preview1Z_fd_sync(WASI, uint32_t fd) { return fd == STORE_FD ? 0 : EBADF; }

uint32_t Z_wasi_snapshot_preview1Z_poll_oneoff(WASI, uint32_t in, uint32_t out, uint32_t count, uint32_t result) {
  (void)in, (void)out, (void)count;
  hal_sleep();
  return done(result, 1);
}

/* Whatever the code: a device that has ended starts again, and the store says what it knew. */
void Z_wasi_snapshot_preview1Z_proc_exit(WASI, uint32_t code) {
  (void)code;
  hal_reset();
}

int main(void) {
#if DORMOUSE_IMU
  imu_start();
#endif
  hal_watchdog_start(WATCHDOG_MILLIS);
  hal_mark(true);
  Z_device_init_module();
#if DORMOUSE_KERNELS
  Z_device_instantiate(&device, 0, 0);
#else
  Z_device_instantiate(&device, 0);
#endif
  wasm_admit_image(&device.w2c_memory, __readable_start, (uint32_t)(__readable_end - __readable_start));
  Z_deviceZ_setMemory(&device, DORMOUSE_MEMORY_BYTES);
#if DORMOUSE_STORE_BYTES > 0
  hasStore = open_store();
  if (hasStore) Z_deviceZ_setStore(&device, wasm_address(__store_start));
#endif
  Z_deviceZ_setImage(&device, 0, wasm_address(dormouse_model), (uint32_t)(dormouse_model_end - dormouse_model));
  Z_deviceZ__start(&device);
  return 0;
}
