/**
 * What a command is, and what it gets. Types, and the error that ends one.
 */

import type { Adapter } from "../adapter.ts";
import type { ArgOption, Host } from "../host.ts";
import type { WorkerAdapter } from "../mod.ts";

/** Exit codes: all is well; the answer is no; it could not be done (usage, configuration, environment). */
export const EXIT = { ok: 0, no: 1, cannot: 2 } as const;

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Arguments and options, as the usage line shows them. */
  readonly usage: string;
  /** What it does, for its own `--help`: paragraphs and examples. */
  readonly help: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly maxPositionals: number;
  run(context: CliContext, args: CommandArgs): Promise<number>;
}

export interface CommandOption extends ArgOption {
  readonly help: string;
  /** What stands for the value in the help. */
  readonly value?: string;
}

export interface CommandArgs {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** The outside world of the command line. */
export interface CliContext {
  readonly host: Host;
  /** @throws {Error} when the named adapter cannot run here. */
  selectAdapter(name: string): Promise<SelectedAdapter>;
  /** The demo's servers and client; loaded only when asked for. */
  loadDemo(): Promise<DemoParts>;
}

export interface SelectedAdapter {
  /** This thread's sockets. */
  readonly adapter: Adapter;
  /** What carries the connections in place of `adapter`, in threads of its own. */
  readonly workerAdapter?: WorkerAdapter | undefined;
  /** Why this one, in a few words. */
  readonly why: string;
}

/** A TLS server with a certificate of its own. */
export interface DemoOrigin {
  readonly port: number;
  close(): Promise<void>;
}

/** What a real HTTPS client saw. */
export interface DemoAnswer {
  readonly status?: number;
  /** What the server that answered calls itself. */
  readonly origin?: string;
  /** Subject and issuer of the certificate that the client verified. */
  readonly certificate?: { readonly subject: string; readonly issuer: string };
  /** Why there was no answer. */
  readonly error?: string;
}

export interface DemoParts {
  /** Starts an origin for `name`, with a certificate of the demo's own authority. */
  startOrigin(label: string, name: string): Promise<DemoOrigin>;
  /** GETs `https://name/` through `port` of 127.0.0.1, verifying the certificate. */
  get(name: string, port: number): Promise<DemoAnswer>;
  /** Path of the authority's certificate, for `curl --cacert`. */
  readonly authorityPath: string;
  close(): Promise<void>;
}

/** Ends a command with a message of one or more lines and an exit code; no stack trace. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.cannot) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}
