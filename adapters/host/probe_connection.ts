/**
 * A probe: a connect of certless' own to see whether a server is well, by `node:net` and `node:tls`, which all three
 * runtimes have.
 *
 * Owns: one connection's way from connect over handshake and exchange to its result, and the reading of the
 * certificate. It must not judge: no certificate makes a probe fail. Nothing a server sends is kept but that.
 */

import net from "node:net";
import tls from "node:tls";
import type { IoError } from "../../src/errors.ts";
import type { ProbeRequest, ProbeResult, ProbeStage, ProbeTls } from "../../src/probe.ts";
import { runtimeName } from "../select.ts";
import { localAddress } from "../shared/endpoint.ts";
import { toIoError } from "../shared/io_error.ts";
import { readCertificate } from "./certificate.ts";

/** How long a server has to answer our goodbye, ms. */
const GOODBYE = 500;

export class ProbeConnection {
  readonly #request: ProbeRequest;
  readonly #startedAt = performance.now();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #socket: net.Socket;
  #secure: tls.TLSSocket | undefined;
  #stage: ProbeStage = "connect";
  #done: ((result: ProbeResult) => void) | undefined;
  #hasSucceeded = false;

  constructor(request: ProbeRequest, done: (result: ProbeResult) => void) {
    this.#request = request;
    this.#done = done;
    const { endpoint, bind } = request;
    this.#timer = setTimeout(() => this.#fail({ code: "ETIMEDOUT", message: "no answer in time" }), request.timeout);
    this.#socket = net.connect(
      endpoint.kind === "unix"
        ? { path: endpoint.path }
        : { host: endpoint.ip, port: endpoint.port, ...from(localAddress(endpoint, bind)) },
    );
    this.#socket.on("error", (error) => this.#fail(toIoError(error)));
    this.#socket.on("connect", () => this.#guard(() => this.#connected()));
    this.#socket.on("close", () => this.#fail(CLOSED));
  }

  cancel(): void {
    this.#done = undefined;
    this.#destroy();
  }

  #connected(): void {
    this.#socket.setNoDelay(true);
    const { prefix, exchange } = this.#request;
    if (prefix !== undefined) this.#socket.write(prefix);
    if (this.#request.tls !== undefined) this.#handshake(this.#request.tls);
    else if (exchange !== undefined) this.#exchange(this.#socket);
    else this.#succeed();
  }

  #handshake({ serverName, closely }: ProbeTls): void {
    this.#stage = "handshake";
    const secure = tls.connect({
      socket: this.#socket,
      // An empty one sends none.
      servername: serverName ?? "",
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(closely && { ALPNProtocols: ["h2", "http/1.1"] }),
      ...FRESH,
    });
    this.#secure = secure;
    secure.on("error", (error) => this.#fail(tlsError(error)));
    secure.on("close", () => this.#fail(CLOSED));
    secure.on("secureConnect", () =>
      this.#guard(() => {
        if (this.#request.exchange !== undefined) this.#exchange(secure);
        else this.#succeed();
      }),
    );
  }

  #exchange(socket: net.Socket): void {
    this.#stage = "exchange";
    const { send, received } = this.#request.exchange!;
    socket.on("data", (bytes: Uint8Array) =>
      this.#guard(() => {
        if (this.#done !== undefined && received.call(this.#request.exchange, bytes)) this.#succeed();
      }),
    );
    socket.on("end", () => this.#fail(CLOSED));
    socket.write(send);
  }

  /** Told once our goodbye is on its way: who ends the program then has left nothing half open. */
  #succeed(): void {
    const secure = this.#secure;
    const { serverName, closely } = this.#request.tls ?? {};
    const certificate = secure === undefined ? undefined : readCertificate(secure, serverName, closely);
    const result: ProbeResult = {
      ok: true,
      duration: this.#elapsed(),
      certificate,
      ...(closely && { multiplexes: secure?.alpnProtocol === "h2" }),
    };
    this.#hasSucceeded = true;
    clearTimeout(this.#timer);
    const tell = (): void => this.#settle(result);
    const ended = secure ?? this.#socket;
    ended.end(tell);
    ended.resume();
    const timer = setTimeout(() => this.#destroy(), GOODBYE);
    this.#socket.once("close", () => {
      clearTimeout(timer);
      tell();
    });
  }

  #fail(error: IoError): void {
    if (this.#hasSucceeded || this.#done === undefined) return;
    this.#settle({ ok: false, duration: this.#elapsed(), stage: this.#stage, error });
    this.#destroy();
  }

  #settle(result: ProbeResult): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(result);
  }

  /** What throws in a handler is this probe's failure, and nobody else's. */
  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#fail(toIoError(error));
    }
  }

  #elapsed(): number {
    return performance.now() - this.#startedAt;
  }

  #destroy(): void {
    clearTimeout(this.#timer);
    this.#secure?.destroy();
    this.#socket.destroy();
  }
}

/**
 * Deno resumes sessions by itself, and a resumed one shows the certificate of the first handshake, unchecked. It does not
 * where the authorities are given: here those that it takes anyway.
 */
const FRESH: tls.ConnectionOptions = runtimeName() === "deno" ? { ca: defaultAuthorities() } : {};

function defaultAuthorities(): string[] {
  return tls.getCACertificates?.("default") ?? [...tls.rootCertificates];
}

function from(address: string | undefined): { localAddress?: string } {
  return address === undefined ? {} : { localAddress: address };
}

const CLOSED: IoError = { code: "ECONNRESET", message: "the server closed the connection" };

/** A TLS library's own code where there is one: it says more than the system's. */
function tlsError(error: Error): IoError {
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && code.startsWith("ERR_SSL_")) return { code, message: error.message };
  return toIoError(error);
}
