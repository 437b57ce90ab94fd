/**
 * What the sockets, relays and listeners of one engine share. Types only.
 */

import type { Pacer } from "../shared/pacer.ts";
import type { Grace } from "./grace.ts";
import type { Kernel } from "./kernel.ts";
import type { Loop } from "./loop.ts";
import type { PipePool } from "./pipes.ts";

export interface LinuxOptions {
  /**
   * Seconds for which the kernel keeps a client back until it has sent something (`TCP_DEFER_ACCEPT`), which saves a
   * wake-up for each. A silent client is accepted after about that time. 0, the default, turns it off.
   */
  readonly deferAccept?: number;
  /**
   * Every connection that opens is sent bytes at once. Its handshake is then ended by the packet that carries them, which
   * saves one; where none are sent, the server sees the connection up to 200 ms later.
   */
  readonly speaksFirst?: boolean;
  /** Told of what a handler threw; that connection is ended, the others go on. */
  readonly fault?: (error: unknown) => void;
}

export interface EngineParts {
  readonly loop: Loop;
  readonly kernel: Kernel;
  readonly pipes: PipePool;
  readonly grace: Grace;
  readonly pacer: Pacer;
  readonly options: LinuxOptions;
}
