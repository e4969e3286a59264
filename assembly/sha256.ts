// SHA-256 (FIPS 180-4), one digest at a time: 64 bytes of block, 64 of schedule, 32 of state, all static.

const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
  0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const START = memory.data<u32>([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const schedule = memory.data(BLOCK_BYTES, 16); // the last 16 words of W
const state = memory.data(DIGEST_BYTES, 16);
const block = memory.data(BLOCK_BYTES, 16);
let filled: i32 = 0;
let total: u64 = 0;

// @ts-ignore: decorator
@inline
function w(i: i32): usize {
  return schedule + <usize>((i & 15) << 2);
}

function compress(): void {
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i = 0; i < 64; i++) {
    if (i < 16) store<u32>(w(i), bswap(load<u32>(block + <usize>(i << 2))));
    else {
      const w15 = load<u32>(w(i - 15));
      const w2 = load<u32>(w(i - 2));
      const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3);
      const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10);
      store<u32>(w(i), load<u32>(w(i)) + s0 + load<u32>(w(i - 7)) + s1);
    }
    const t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + load<u32>(K + <usize>(i << 2)) + load<u32>(w(i));
    const t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

export function sha256Start(): void {
  memory.copy(state, START, DIGEST_BYTES);
  filled = 0;
  total = 0;
}

function put(byte: u8): void {
  store<u8>(block + <usize>filled, byte);
  if (++filled < BLOCK_BYTES) return;
  filled = 0;
  compress();
}

/** Continues with `bytes` bytes at `p`; with zeros instead where p is 0. */
export function sha256Add(p: usize, bytes: u32): void {
  total += bytes;
  for (let i: u32 = 0; i < bytes; i++) put(p == 0 ? 0 : load<u8>(p + i));
}

/** Ends; returns where the digest is, 32 bytes. */
export function sha256End(): usize {
  const bits = total << 3;
  put(0x80);
  while (filled != 56) put(0);
  for (let i = 56; i >= 0; i -= 8) put(<u8>(bits >> i));
  for (let i: usize = 0; i < <usize>DIGEST_BYTES; i += 4) store<u32>(state + i, bswap(load<u32>(state + i)));
  return state;
}
