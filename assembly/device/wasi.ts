// The WASI functions that a device needs: all its imports. On bare metal a few hundred lines of C stand behind them.

@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, iovs: usize, count: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, iovs: usize, count: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_pread")
declare function fd_pread(fd: i32, iovs: usize, count: i32, offset: i64, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_pwrite")
declare function fd_pwrite(fd: i32, iovs: usize, count: i32, offset: i64, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_sync")
declare function fd_sync(fd: i32): i32;
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(
  dir: i32, lookup: i32, path: usize, pathBytes: i32, how: i32, rights: i64, inherited: i64, flags: i32, opened: usize,
): i32;
@external("wasi_snapshot_preview1", "poll_oneoff")
declare function poll_oneoff(subscriptions: usize, events: usize, count: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

const LINK_IN = 0;
const LINK_OUT = 1;
const FIRST_FOLDER = 3; // preopened folders come after the standard streams, in some runtimes after a root of their own
const LAST_FOLDER = 10;
const EAGAIN = 6;
const EBADF = 8;
const EINTR = 27;
const ENOENT = 44;
const TRIES = 100; // of one call on the store, or of a write that takes nothing
const RIGHTS: i64 = 0x77; // fd: datasync, read, seek, sync, tell, write

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const SUBSCRIPTIONS = 2;
const IOVEC_BYTES = 8;
const RESULT_BYTES = 8;
const iov = memory.data(IOVEC_BYTES, 16);
const result = memory.data(RESULT_BYTES, 16);
const subscriptions = memory.data(SUBSCRIPTIONS * SUBSCRIPTION_BYTES, 16);
const events = memory.data(SUBSCRIPTIONS * EVENT_BYTES, 16);
const STORE_NAME = memory.data<u8>([0x73, 0x74, 0x6f, 0x72, 0x65]); // "store"

let storeFd: i32 = -1;

function setIov(p: usize, bytes: i32): void {
  store<u32>(iov, <u32>p);
  store<u32>(iov, bytes, 4);
}

/** Sleeps until fd 0 has bytes, or a hundredth of a second. What it answers does not matter: the caller tries again. */
function nap(): void {
  memory.fill(subscriptions, 0, SUBSCRIPTIONS * SUBSCRIPTION_BYTES);
  store<u64>(subscriptions, 1);
  store<u8>(subscriptions, 1, 8); // fd_read, of fd 0
  store<u32>(subscriptions + SUBSCRIPTION_BYTES, 1, 16); // clock: monotonic, relative
  store<u64>(subscriptions + SUBSCRIPTION_BYTES, 10_000_000, 24);
  poll_oneoff(subscriptions, events, SUBSCRIPTIONS, result);
}

/** Whether a call should be made again, after a nap: it would have blocked, or a signal cut it short. */
function shouldRetry(error: i32): bool {
  if (error != EAGAIN && error != EINTR) return false;
  nap();
  return true;
}

/** Bytes from the link, at least one; 0 at its end. */
export function readLink(p: usize, most: i32): i32 {
  let error: i32;
  do {
    setIov(p, most);
    error = fd_read(LINK_IN, iov, 1, result);
  } while (shouldRetry(error));
  return error == 0 ? load<i32>(result) : 0;
}

/** All the bytes to the link, or as many as it takes before it breaks. */
export function writeLink(p: usize, bytes: i32): void {
  let empty = 0;
  while (bytes > 0) {
    setIov(p, bytes);
    const error = fd_write(LINK_OUT, iov, 1, result);
    if (shouldRetry(error)) continue;
    const done = load<i32>(result);
    if (error != 0 || (done == 0 && ++empty == TRIES)) return;
    p += done;
    bytes -= done;
  }
}

function openIn(folder: i32): i32 {
  let error: i32;
  let tries = 0;
  do {
    error = path_open(folder, 0, STORE_NAME, 5, 0, RIGHTS, 0, 0, result);
  } while (shouldRetry(error) && ++tries < TRIES);
  return error;
}

/** Opens the store in the first preopened folder that gives it. Returns 0 or an errno: a refusal before ENOENT, ENOENT before EBADF. */
export function openStore(): i32 {
  if (storeFd >= 0) return 0;
  let worst = EBADF;
  for (let folder = FIRST_FOLDER; folder <= LAST_FOLDER; folder++) {
    const error = openIn(folder);
    if (error == 0) {
      storeFd = load<i32>(result);
      return 0;
    }
    if (worst == EBADF || (worst == ENOENT && error != EBADF)) worst = error;
  }
  return worst;
}

/** All the bytes at an offset of the store, to or from `p`. Returns 0, an errno, or −1 where the store ends early. */
function move(isWrite: bool, offset: u32, p: usize, bytes: i32): i32 {
  let tries = 0;
  while (bytes > 0) {
    setIov(p, bytes);
    const error = isWrite ? fd_pwrite(storeFd, iov, 1, offset, result) : fd_pread(storeFd, iov, 1, offset, result);
    if (shouldRetry(error) && ++tries < TRIES) continue;
    if (error != 0) return error;
    const done = load<i32>(result);
    if (done == 0) return -1;
    p += done;
    offset += done;
    bytes -= done;
  }
  return 0;
}

export function readStore(offset: u32, p: usize, bytes: i32): i32 {
  return move(false, offset, p, bytes);
}

export function writeStore(offset: u32, p: usize, bytes: i32): i32 {
  return move(true, offset, p, bytes);
}

export function syncStore(): i32 {
  let error: i32;
  let tries = 0;
  do {
    error = fd_sync(storeFd);
  } while (shouldRetry(error) && ++tries < TRIES);
  return error;
}

export function exit(code: i32): void {
  proc_exit(code);
}
