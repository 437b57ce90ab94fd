/**
 * The listening sockets that this process did not open, by the listeners that they belong to.
 *
 * Owns: which socket is whose, and which worker accepts from which: each from its own where there are enough, else
 * several from one. It must not open or accept.
 */

import type { Adapter } from "../adapter.ts";
import { type Endpoint, formatEndpoint, sameEndpoint } from "../address.ts";
import type { ListenerConfig } from "../config/config.ts";
import { StartError } from "../start_error.ts";
import type { PassedSocket, System } from "../system.ts";

type Descriptors = Pick<System, "duplicates" | "duplicate" | "closeDescriptor">;

export interface Inheritance {
  /** Who passed them: in messages. */
  readonly from: string;
  readonly sockets: readonly PassedSocket[];
  readonly system: Descriptors;
  /** Ports that the other process shares are joined (`SO_REUSEPORT`), where their sockets could not be taken. */
  readonly join: boolean;
}

export class InheritedSockets {
  readonly join: boolean;
  readonly #from: string;
  readonly #system: Descriptors;
  /** By address. */
  readonly #descriptors = new Map<string, readonly number[]>();
  /** Duplicates were not possible, and the originals are given away. */
  #given = false;

  /** @throws {StartError} for a socket that belongs to no listener, and where the adapter cannot use any. */
  constructor(
    listeners: readonly Pick<ListenerConfig, "endpoint">[],
    { from, sockets, system, join }: Inheritance,
    { name, capabilities }: Pick<Adapter, "name" | "capabilities">,
  ) {
    this.join = join;
    this.#from = from;
    this.#system = system;
    if (sockets.some(({ descriptor }) => descriptor !== undefined) && capabilities.adopts !== true) {
      throw new StartError(
        `Cannot use the sockets that ${from} passed: the adapter ${name} has no way to; ` +
          "use the adapter linux or node, or let certless open its ports itself",
      );
    }
    const stray = sockets.find(
      ({ endpoint }) => !listeners.some((listener) => sameEndpoint(listener.endpoint, endpoint)),
    );
    if (stray !== undefined && !join) {
      throw new StartError(
        `Cannot use the socket that ${from} passed: no listener has the address ${formatEndpoint(stray.endpoint)}; ` +
          "give the listener that address, or take the socket out of the socket unit",
      );
    }
    for (const { endpoint, descriptor } of sockets) {
      if (descriptor === undefined) continue;
      const text = formatEndpoint(endpoint);
      if (listeners.some((listener) => sameEndpoint(listener.endpoint, endpoint))) {
        this.#descriptors.set(text, [...(this.#descriptors.get(text) ?? []), descriptor]);
      } else {
        system.closeDescriptor(descriptor);
      }
    }
  }

  has(endpoint: Endpoint): boolean {
    return this.#descriptors.has(formatEndpoint(endpoint));
  }

  /**
   * What one of `count` workers accepts from, by address; it owns them.
   * @throws {StartError} where several are to share a socket, and cannot.
   */
  share(worker: number, count: number): (readonly [address: string, descriptors: readonly number[]])[] {
    if (this.#descriptors.size > 0 && count > 1 && !this.#system.duplicates) {
      throw new StartError(
        `Cannot share the sockets that ${this.#from} passed among ${count} workers: this runtime cannot duplicate them; ` +
          "set workers: 1",
      );
    }
    return [...this.#descriptors].map(([address, descriptors]) => {
      const mine = descriptors.filter((_, index) => index % count === worker);
      const chosen = mine.length > 0 ? mine : [descriptors[worker % descriptors.length]!];
      return [address, chosen.map((descriptor) => this.#copy(descriptor))] as const;
    });
  }

  #copy(descriptor: number): number {
    const copy = this.#system.duplicate(descriptor);
    if (copy !== undefined) return copy;
    this.#given = true;
    return descriptor;
  }

  /** Other listeners are in force: the sockets of those that are gone are closed, so that nobody waits in their queues. */
  keep(endpoints: readonly Endpoint[]): void {
    const kept = new Set(endpoints.map(formatEndpoint));
    for (const [address, descriptors] of this.#descriptors) {
      if (kept.has(address)) continue;
      this.#descriptors.delete(address);
      if (!this.#given) for (const descriptor of descriptors) this.#system.closeDescriptor(descriptor);
    }
  }

  /** Nobody is to start with them any more. */
  close(): void {
    this.keep([]);
  }
}
