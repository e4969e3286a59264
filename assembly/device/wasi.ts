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
const PREOPEN = 3; // the first preopened folder, in every WASI runtime
const EAGAIN = 6;
const RIGHTS: i64 = 0x77; // fd: datasync, read, seek, sync, tell, write

const iov = memory.data(8, 16);
const result = memory.data(8, 16);
const subscriptions = memory.data(96, 16); // two of 48 bytes
const events = memory.data(64, 16); // two of 32
const STORE_NAME = memory.data<u8>([0x73, 0x74, 0x6f, 0x72, 0x65]); // "store"

let storeFd: i32 = -1;

function setIov(p: usize, bytes: i32): void {
  store<u32>(iov, <u32>p);
  store<u32>(iov, bytes, 4);
}

/** Sleeps until fd 0 has bytes, or a hundredth of a second. What it answers does not matter: the caller tries again. */
function nap(): void {
  memory.fill(subscriptions, 0, 96);
  store<u64>(subscriptions, 1);
  store<u8>(subscriptions, 1, 8); // fd_read, of fd 0
  store<u32>(subscriptions + 48, 1, 16); // clock: monotonic, relative
  store<u64>(subscriptions + 48, 10_000_000, 24);
  poll_oneoff(subscriptions, events, 2, result);
}

/** Bytes from the link, at least one; 0 at its end. */
export function readLink(p: usize, most: i32): i32 {
  setIov(p, most);
  let error = fd_read(LINK_IN, iov, 1, result);
  while (error == EAGAIN) {
    nap();
    setIov(p, most);
    error = fd_read(LINK_IN, iov, 1, result);
  }
  return error == 0 ? load<i32>(result) : 0;
}

/** All the bytes to the link, or as many as it takes before it breaks. */
export function writeLink(p: usize, bytes: i32): void {
  while (bytes > 0) {
    setIov(p, bytes);
    const error = fd_write(LINK_OUT, iov, 1, result);
    if (error == EAGAIN) {
      nap();
      continue;
    }
    if (error != 0) return;
    const done = load<i32>(result);
    p += done;
    bytes -= done;
  }
}

/** Opens the store. Returns 0 or a WASI errno. */
export function openStore(): i32 {
  if (storeFd >= 0) return 0;
  const error = path_open(PREOPEN, 0, STORE_NAME, 5, 0, RIGHTS, 0, 0, result);
  if (error == 0) storeFd = load<i32>(result);
  return error;
}

/** All the bytes at an offset of the store, to or from `p`. Returns 0, an errno, or −1 where the store ends early. */
function move(isWrite: bool, offset: u32, p: usize, bytes: i32): i32 {
  while (bytes > 0) {
    setIov(p, bytes);
    const error = isWrite ? fd_pwrite(storeFd, iov, 1, offset, result) : fd_pread(storeFd, iov, 1, offset, result);
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
  return fd_sync(storeFd);
}

export function exit(code: i32): void {
  proc_exit(code);
}
