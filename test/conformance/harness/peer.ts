/**
 * One end of a TCP or `unix:` connection in a test's hands: a client of the proxy, or a server behind it.
 *
 * Owns: what came, and how it ended. It half-closes: the peer's FIN ends nothing on this side.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import net from "node:net";
import { Changes, DEADLINE, type Scope } from "./waiting.ts";

/** How the other side ended: not yet, with FIN, or broken. */
export type Ending = "open" | "fin" | "reset";

export class Peer {
  readonly socket: net.Socket;
  /** Everything that came, unless `count` was called. */
  #chunks: Buffer[] = [];
  #hash: ReturnType<typeof createHash> | undefined;
  #length = 0;
  #ending: Ending = "open";
  #closed = false;
  readonly #changes = new Changes();
  /** Our own endpoint as the proxy's log writes it, `127.0.0.1:1234`. */
  readonly local: string;
  readonly remote: string;
  readonly openedAt: number = performance.now();

  constructor(socket: net.Socket) {
    this.socket = socket;
    this.local = endpointText(socket.localAddress, socket.localPort);
    this.remote = endpointText(socket.remoteAddress, socket.remotePort);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.#ended("fin"));
    socket.on("error", () => this.#ended("reset"));
    socket.on("close", () => {
      this.#closed = true;
      this.#changes.notify();
    });
  }

  get length(): number {
    return this.#length;
  }

  get ending(): Ending {
    return this.#ending;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString("latin1");
  }

  /** From now on only counts and hashes (SHA-256): for more than memory should hold. */
  count(): this {
    this.#hash = createHash("sha256");
    for (const chunk of this.#chunks) this.#hash.update(chunk);
    this.#chunks = [];
    return this;
  }

  digest(): string {
    return (this.#hash ?? createHash("sha256").update(this.bytes)).copy().digest("hex");
  }

  /** Stops reading: what the kernel then holds is all that the other side can send. */
  stall(): this {
    this.socket.pause();
    return this;
  }

  flow(): this {
    this.socket.resume();
    return this;
  }

  send(bytes: Uint8Array | string): this {
    if (!this.socket.destroyed) this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** FIN. */
  finish(): this {
    this.socket.end();
    return this;
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** At least `length` bytes in all. */
  async receive(length: number, deadline = DEADLINE): Promise<Buffer> {
    await this.#until(`${length} bytes`, () => this.#length >= length, deadline, true);
    return this.bytes;
  }

  /** What came holds `text`. */
  async receiveText(text: string, deadline = DEADLINE): Promise<string> {
    await this.#until(JSON.stringify(text), () => this.text.includes(text), deadline, true);
    return this.text;
  }

  /** The other side ended, with FIN or with RST. */
  async untilEnd(deadline = DEADLINE): Promise<Ending> {
    await this.#until("the end", () => this.#ending !== "open" || this.#closed, deadline, false);
    return this.#ending;
  }

  async untilClosed(deadline = DEADLINE): Promise<void> {
    await this.#until("the socket's close", () => this.#closed, deadline, false);
  }

  async #until(what: string, condition: () => boolean, deadline: number, needsMore: boolean): Promise<void> {
    const missing = (): string =>
      `${what} on ${this.local} from ${this.remote}; ${this.#length} bytes came, ending: ${this.#ending}`;
    await this.#changes.until(
      missing,
      () => {
        if (condition()) return true;
        if (needsMore && (this.#ending !== "open" || this.#closed)) throw new Error(`ended without ${missing()}`);
        return undefined;
      },
      deadline,
    );
  }

  #received(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#hash === undefined) this.#chunks.push(chunk);
    else this.#hash.update(chunk);
    this.#changes.notify();
  }

  #ended(ending: Ending): void {
    // After its FIN the other side may still be found broken: that is an end by RST only if it cut us short.
    if (this.#ending === "open") this.#ending = ending;
    this.#changes.notify();
  }
}

function endpointText(ip: string | undefined, port: number | undefined): string {
  if (ip === undefined || port === undefined) return "unix:";
  const plain = ip.startsWith("::ffff:") ? ip.slice(7) : ip;
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** `127.0.0.1:1234`, `[::1]:1234` or `unix:/path` for `net.connect`. */
export function connectOptions(endpoint: string): net.NetConnectOpts {
  if (endpoint.startsWith("unix:")) return { path: endpoint.slice(5) };
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(endpoint.slice(colon + 1)) };
}

let used = 0;

/**
 * An address of this machine, in 127.`network`.0.0/16, that no client of this process has had. A port alone may come
 * twice, and then the log's lines of two clients could not be told apart.
 */
export function freshAddress(network = 1): string {
  used++;
  return `127.${network}.${(used >> 8) & 0xff}.${used & 0xff}`;
}

export interface DialOptions {
  /** If absent, a fresh one. */
  readonly localAddress?: string;
  /** Starts stalled. */
  readonly stalled?: boolean;
}

/** Connects; the connection is destroyed with `scope`. */
export async function dial(scope: Scope, endpoint: string, options: DialOptions = {}): Promise<Peer> {
  const socket = new net.Socket({ allowHalfOpen: true });
  scope.after(() => {
    socket.destroy();
  });
  const { localAddress = endpoint.startsWith("127.") ? freshAddress() : undefined } = options;
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.connect({ ...connectOptions(endpoint), ...(localAddress === undefined ? {} : { localAddress }) }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  socket.setNoDelay(true);
  const peer = new Peer(socket);
  if (options.stalled) peer.stall();
  return peer;
}
