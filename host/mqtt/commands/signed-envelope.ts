import { type KeyObject, sign, verify } from "node:crypto";
import { decodeCbor } from "../wire/cbor.ts";
import { SCHEMA_VERSION } from "../wire/payloads.ts";
import { type CanonicalValue, encodeCanonical } from "./canonical-cbor.ts";

/** What is signed: the signature begins with it, so that one kind never passes for another. */
export type SignedKind = "command";

const SIGNATURE_BYTES = 64;

/** A map opened from its envelope, or why not. `isAuthentic`: whether the signature is valid. */
export type Opened =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly isAuthentic: boolean; readonly reason: string };

/** A map, signed with Ed25519 over its canonical CBOR: `{v, kind, body: bytes, signature: 64 bytes}`. */
export function signEnvelope(kind: SignedKind, body: { readonly [key: string]: CanonicalValue | undefined }, key: KeyObject): Uint8Array {
  const bytes = encodeCanonical(body);
  return encodeCanonical({ v: SCHEMA_VERSION, kind, body: bytes, signature: sign(null, toSign(kind, bytes), key) });
}

/**
 * Opens an envelope: size, shape, signature, and only then a look inside. The bytes that were signed are the bytes that are read; a
 * body that is not canonical is refused all the same, so that there is one byte string for one meaning. Any bytes are safe.
 */
export function openEnvelope(kind: SignedKind, envelope: Uint8Array, key: KeyObject, maxBytes: number): Opened {
  const outer = decodeCbor(envelope, maxBytes);
  if (!outer.ok) return { ok: false, isAuthentic: false, reason: outer.reason };
  const { v, kind: found, body, signature } = outer.value;
  if (v !== SCHEMA_VERSION || found !== kind)
    return { ok: false, isAuthentic: false, reason: `not a ${kind} of version ${SCHEMA_VERSION}` };
  if (!(body instanceof Uint8Array) || !(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES)
    return { ok: false, isAuthentic: false, reason: "without a body or a signature" };
  if (!verify(null, toSign(kind, body), key, signature))
    return { ok: false, isAuthentic: false, reason: "the signature is not the operator's" };
  const inner = decodeCbor(body, maxBytes);
  if (!inner.ok) return { ok: false, isAuthentic: true, reason: inner.reason };
  return isCanonical(inner.value, body)
    ? { ok: true, body: inner.value }
    : { ok: false, isAuthentic: true, reason: "its body is not canonical CBOR" };
}

/** The body of an envelope without checking its signature: lets a node without a key report which message it refuses. Any bytes are safe. */
export function peekEnvelope(kind: SignedKind, envelope: Uint8Array, maxBytes: number): Readonly<Record<string, unknown>> | undefined {
  const outer = decodeCbor(envelope, maxBytes);
  if (!outer.ok || outer.value.kind !== kind || !(outer.value.body instanceof Uint8Array)) return undefined;
  const inner = decodeCbor(outer.value.body, maxBytes);
  return inner.ok ? inner.value : undefined;
}

function isCanonical(value: Readonly<Record<string, unknown>>, bytes: Uint8Array): boolean {
  try {
    return Buffer.compare(encodeCanonical(value as { [key: string]: CanonicalValue }), bytes) === 0;
  } catch {
    return false; // a float, or a number beyond 2^53
  }
}

function toSign(kind: SignedKind, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`dormouse/v1/${kind}\0`), body]);
}
