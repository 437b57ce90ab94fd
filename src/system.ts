/**
 * What the core asks of the system that runs the process: sockets that it passes on, the service manager, the user.
 * Types only. Implemented once for all runtimes, in `adapters/system.ts`; a program may do without.
 */

import type { Endpoint } from "./address.ts";

/** A listening socket that this process did not open. */
export interface PassedSocket {
  readonly endpoint: Endpoint;
  /** Owned by whoever has this object; undefined: it could be seen, but not taken. */
  readonly descriptor: number | undefined;
}

export interface System {
  /**
   * The sockets that the service manager has passed (`LISTEN_FDS`, sd_listen_fds(3)).
   * @throws {Error} with a whole message: one of them is no listening stream socket.
   */
  passedSockets(): readonly PassedSocket[];
  /**
   * The listening sockets of another process, duplicated where this one may (pidfd_getfd(2)); `refusal` says why not.
   * @throws {Error} as the rejection, with a phrase: there is no such process, or it cannot be looked at.
   */
  socketsOf(process: number): Promise<{ readonly sockets: readonly PassedSocket[]; readonly refusal?: string }>;
  /** The process that listens where nobody else can now; undefined where it cannot be seen. */
  portOwner(endpoint: Endpoint): Promise<PortOwner | undefined>;
  /** `duplicate` works here. */
  readonly duplicates: boolean;
  /** Another descriptor of the same socket; undefined where this runtime has no way to make one. */
  duplicate(descriptor: number): number | undefined;
  closeDescriptor(descriptor: number): void;
  /** The system moves connections that wait on a closing socket to the others of its port (`tcp_migrate_req`). */
  migratesQueues(): boolean;
  /** @throws {Error} with a phrase: there is no such process, or it is not ours. */
  terminate(process: number): void;
  /** The service manager, where there is one (`NOTIFY_SOCKET`). */
  openNotifier(warn: (message: string) => void): Promise<Notifier | undefined>;
  /** @throws {Error} with a phrase: there is no such user or group. */
  findAccount(user: string | undefined, group: string | undefined): Account;
  /** The user that this process is, as a number. */
  readonly userId: number;
  /** Gives files to the account, so that it can open them anew; what cannot be given is left as it is. */
  giveFiles(paths: readonly string[], account: Account): void;
  /**
   * Becomes the account, in every thread and for good, without supplementary groups, and reads back that it is so.
   * @throws {Error} as the rejection, with a phrase.
   */
  becomeAccount(account: Account): Promise<void>;
}

export interface PortOwner {
  readonly process: number;
  /** As it was started, words with spaces between. Foreign text. */
  readonly command: string;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** As `user:group`, for people. */
  readonly text: string;
}

/** Speaks to the service manager: sd_notify(3). */
export interface Notifier {
  /** Lines such as `READY=1`. Never throws. */
  send(lines: readonly string[]): void;
  /** Milliseconds within which it wants a sign of life again and again; undefined: it does not. */
  readonly watchdog: number | undefined;
  /** Microseconds of CLOCK_MONOTONIC, where this runtime can say. */
  monotonic(): bigint | undefined;
}
