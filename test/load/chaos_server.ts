/**
 * A server whose moods change: it dies and comes back on the same port, stalls, hangs up; and signs whatever it says.
 *
 * Owns: the protocol that makes every byte checkable, and the record of its moods, by which a log line can be judged.
 *
 * To the client's first record, its ClientHello, it answers with a line, `NAME DIGEST` of that record; then it echoes,
 * and after the client's FIN it says the digest of all that it got.
 */

import { createHash } from "node:crypto";
import net from "node:net";
import { connectOptions } from "../conformance/harness/peer.ts";
import { until } from "../conformance/harness/waiting.ts";

export type Mood = "serves" | "dead" | "closes" | "resets" | "stalls";

/** Milliseconds by which what was done here may be felt later: in the kernel's queues, and behind an event loop that is busy. */
const ECHO_OF_A_MOOD = 1500;

const RECORD_HEAD = 5;

export const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What the server called `name` says to a client of `hello` and `payload`, which then finishes. */
export function answerOf(name: string, hello: Uint8Array, payload: Uint8Array): Buffer {
  const all = createHash("sha256").update(hello).update(payload).digest("hex");
  return Buffer.concat([Buffer.from(`${name} ${digestOf(hello)}\n`), payload, Buffer.from(all)]);
}

export class ChaosServer {
  readonly name: string;
  readonly address: string;
  /** Told of each hello that came. */
  readonly #met: (hello: Buffer) => void;
  readonly #open = new Set<net.Socket>();
  #server: net.Server | undefined;
  #mood: Mood = "dead";
  readonly #bad: { readonly mood: Mood; readonly from: number; to: number }[] = [];

  constructor(name: string, address: string, met: (hello: Buffer) => void) {
    this.name = name;
    this.address = address;
    this.#met = met;
  }

  get mood(): Mood {
    return this.#mood;
  }

  /** Connections now. */
  get open(): number {
    return this.#open.size;
  }

  /** The moods that a connection between these instants (ms) may have felt, other than `serves`. */
  felt(from: number, to: number): Set<Mood> {
    return new Set(
      this.#bad.filter((one) => one.from <= to && one.to >= from - ECHO_OF_A_MOOD).map(({ mood }) => mood),
    );
  }

  async set(mood: Mood): Promise<void> {
    const before = this.#mood;
    const now = performance.now();
    const last = this.#bad.at(-1);
    if (last !== undefined && last.to === Infinity) last.to = now;
    if (mood !== "serves") this.#bad.push({ mood, from: now, to: Infinity });
    while (this.#bad.length > 50) this.#bad.shift();
    this.#mood = mood;
    if (mood === "dead") this.#die();
    else if (this.#server === undefined) await this.#listen();
    if (before === "stalls") for (const socket of this.#open) socket.resume();
    if (mood === "stalls") for (const socket of this.#open) socket.pause();
  }

  #die(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  /** Its port may be held for a moment by what was open before. */
  async #listen(): Promise<void> {
    await until(`${this.address} to be free`, async () => {
      const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
      const listens = await new Promise<boolean>((resolve) => {
        server.once("error", () => resolve(false));
        server.listen({ ...connectOptions(this.address), backlog: 1024 }, () => resolve(true));
      });
      if (listens) this.#server = server;
      return listens || undefined;
    });
  }

  #accept(socket: net.Socket): void {
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
    socket.on("error", () => {});
    if (this.#mood === "dead" || this.#mood === "resets") socket.resetAndDestroy();
    else if (this.#mood === "closes") socket.resume().end();
    else this.#serve(socket);
  }

  #serve(socket: net.Socket): void {
    const all = createHash("sha256");
    let head: Buffer | undefined = Buffer.alloc(0);
    const say = (bytes: Buffer | string): void => {
      if (!socket.destroyed && !socket.write(bytes)) socket.pause();
    };
    socket.on("drain", () => {
      if (this.#mood !== "stalls") socket.resume();
    });
    socket.on("data", (bytes: Buffer) => {
      all.update(bytes);
      if (head === undefined) {
        say(bytes);
        return;
      }
      head = Buffer.concat([head, bytes]);
      const length = head.length < RECORD_HEAD ? Infinity : RECORD_HEAD + head.readUInt16BE(3);
      if (head.length < length) return;
      const hello = head.subarray(0, length);
      this.#met(hello);
      say(`${this.name} ${digestOf(hello)}\n`);
      if (head.length > length) say(head.subarray(length));
      head = undefined;
    });
    socket.on("end", () => socket.end(all.digest("hex")));
    if (this.#mood === "stalls") socket.pause();
  }
}
