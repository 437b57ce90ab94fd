/**
 * The way to one DNS server for one lookup: a UDP socket of its own, and TCP for what does not fit (RFC 7766).
 *
 * Owns: two sockets at most. A socket for each lookup, since its port is half of what a forged answer has to guess
 * (RFC 5452 §9); it hears that server alone. It must not read messages.
 */

import { createSocket, type Socket } from "node:dgram";
import net from "node:net";
import { canonicalIp } from "../../src/address.ts";
import { toIoError } from "../shared/io_error.ts";

/** An IP address and a port. */
export interface DnsServerAddress {
  readonly ip: string;
  readonly port: number;
}

export interface ChannelEvents {
  received(message: Uint8Array): void;
  /** Nothing more will come this way. */
  broken(code: string): void;
}

/** Who answers there. */
const UNSPECIFIED: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

export class DnsChannel {
  readonly #server: DnsServerAddress;
  readonly #events: ChannelEvents;
  #udp: Socket | undefined;
  #ready = false;
  /** Queries that wait for the socket. */
  #queue: Uint8Array[] = [];
  readonly #streams = new Set<net.Socket>();
  #closed = false;

  constructor(server: DnsServerAddress, events: ChannelEvents) {
    this.#server = server;
    this.#events = events;
  }

  send(query: Uint8Array): void {
    if (this.#ready) {
      this.#udp?.send(query);
      return;
    }
    this.#queue.push(query);
    if (this.#udp === undefined) this.#open();
  }

  /** Asks again over TCP. @param events for this query: one of them happens, once. */
  sendByStream(query: Uint8Array, events: ChannelEvents): void {
    const { ip, port } = this.#server;
    const stream = net.connect({ host: ip, port });
    this.#streams.add(stream);
    const frame = Buffer.alloc(query.length + 2);
    frame.writeUInt16BE(query.length);
    frame.set(query, 2);
    stream.on("connect", () => stream.write(frame));
    let held: Buffer = Buffer.alloc(0);
    let whole = false;
    stream.on("data", (chunk: Buffer) => {
      if (whole) return;
      held = Buffer.concat([held, chunk]);
      if (held.length < 2 || held.length < held.readUInt16BE() + 2) return;
      whole = true;
      stream.destroy();
      if (!this.#closed) events.received(held.subarray(2, held.readUInt16BE() + 2));
    });
    let code = "ECONNRESET";
    stream.on("error", (error) => {
      code = toIoError(error).code;
    });
    stream.on("close", () => {
      this.#streams.delete(stream);
      if (!whole && !this.#closed) events.broken(code);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#udp?.close();
    for (const stream of this.#streams) stream.destroy();
  }

  #open(): void {
    const { ip, port } = this.#server;
    const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
    this.#udp = socket;
    const peer = UNSPECIFIED[ip] ?? ip;
    // Deno's sockets hear everybody, connected or not.
    socket.on("message", (message, sender) => {
      if (sender.port === port && canonicalIp(sender.address) === peer) this.#received(message);
    });
    socket.on("error", (error) => this.#broken(toIoError(error).code));
    // Node hands an error to the callback, the others to the event.
    socket.connect(port, ip, (error?: unknown) => {
      if (this.#closed) return;
      if (error !== undefined && error !== null) {
        this.#broken(toIoError(error).code);
        return;
      }
      this.#ready = true;
      for (const query of this.#queue.splice(0)) socket.send(query);
    });
  }

  #received(message: Uint8Array): void {
    if (!this.#closed) this.#events.received(message);
  }

  #broken(code: string): void {
    if (!this.#closed) this.#events.broken(code);
  }
}
