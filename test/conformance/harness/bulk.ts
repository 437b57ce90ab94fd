/**
 * Much data, made and checked at little cost.
 *
 * Owns: a stream of bytes that is given by its seed and length, in which no block is like another, and sending it
 * no faster than the other side takes it.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Peer } from "./peer.ts";
import { until } from "./waiting.ts";

export const MIB = 1024 * 1024;

const BLOCK = 256 * 1024;

/** Pseudo-random bytes (xorshift32) with room for a block's number in front. */
function template(seed: number): Buffer {
  const words = new Uint32Array(BLOCK / 4);
  let state = seed * 2_654_435_761 + 1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return Buffer.from(words.buffer);
}

function block(pattern: Buffer, number: number, length: number): Buffer {
  const bytes = Buffer.from(pattern.subarray(0, length));
  if (length >= 4) bytes.writeUInt32BE(number, 0);
  return bytes;
}

const digests = new Map<string, string>();

/** SHA-256 of the stream, behind `before`. */
export function digestOf(seed: number, length: number, before: Uint8Array = Buffer.alloc(0)): string {
  const key = `${seed} ${length} ${Buffer.from(before).toString("hex")}`;
  const known = digests.get(key);
  if (known !== undefined) return known;
  const pattern = template(seed);
  const hash = createHash("sha256").update(before);
  for (let number = 0; number * BLOCK < length; number++) {
    hash.update(block(pattern, number, Math.min(BLOCK, length - number * BLOCK)));
  }
  const digest = hash.digest("hex");
  digests.set(key, digest);
  return digest;
}

/** Sends the stream. Ends when all of it was handed to the system, or the connection broke. */
export async function sendBulk(peer: Peer, seed: number, length: number): Promise<void> {
  const pattern = template(seed);
  const { socket } = peer;
  for (let number = 0; number * BLOCK < length; number++) {
    if (socket.destroyed) return;
    if (!socket.write(block(pattern, number, Math.min(BLOCK, length - number * BLOCK)))) await drained(peer);
  }
}

function drained({ socket }: Peer): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}

/** Bytes that the system has taken from us. */
export function taken({ socket }: Peer): number {
  return socket.bytesWritten - socket.writableLength;
}

/** Milliseconds without a byte moving until a sender counts as stopped. */
const STILL = 400;

/** Until the system takes no more of what is being sent. @param look is called again and again meanwhile. */
export async function untilStill(senders: readonly Peer[], look: () => void = () => {}): Promise<void> {
  let moved = -1;
  let since = performance.now();
  await until(
    () => `senders that stand still; ${moved} bytes were taken`,
    () => {
      look();
      const now = senders.reduce((sum, sender) => sum + taken(sender), 0);
      if (now !== moved) since = performance.now();
      moved = now;
      return performance.now() - since > STILL ? true : undefined;
    },
    60_000,
  );
}

/** What the kernel may hold of one direction of a relayed connection: the buffers of two pairs of sockets. */
export function kernelBuffers(): number {
  const most = (name: string): number => Number(readFileSync(`/proc/sys/net/ipv4/${name}`, "utf8").split(/\s+/)[2]);
  return 2 * (most("tcp_rmem") + most("tcp_wmem"));
}
