/**
 * One connection, from first byte to log line.
 *
 * Owns: every transition of its state and its record. Sans-I/O and synchronous: inputs are methods, each
 * returns the one step to take next. It must not hold a socket, a timer or a clock: `now` (ms, monotonic) is an
 * argument, and `deadline` says when `timedOut` is due.
 */

import type { RelayEnd } from "../adapter.ts";
import type { Route, RouteOptions } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { type IoError, NEED_MORE } from "../errors.ts";
import { type Refusal, refusedBy, Visit, withRate } from "../limits/admission.ts";
import type { OpeningFailure } from "../opening/opening.ts";
import type { Reason } from "../reason.ts";
import type { TlsErrorCode } from "../tls/client_hello.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { Dial, type DialFailure, type DialPlan } from "./dial.ts";
import { DirectPlan, ServerPlan, UpstreamPlan } from "./dial_plan.ts";
import { type Egress, egressOf } from "./egress.ts";
import { BROKEN_BODY, HttpRelay } from "./http_relay.ts";
import { describe, type Prelude, Preread, preludeBytes } from "./preread.ts";
import { join, PrereadBuffer } from "./preread_buffer.ts";
import { redirectReply, rejection } from "./rejection.ts";
import type { SessionSettings } from "./session_settings.ts";
import { READ, type Step, WAIT } from "./step.ts";

export type { SessionSettings };

const EMPTY = new Uint8Array(0);
const NOTHING_SENT: Step = { kind: "exchange", bytes: EMPTY };
/** Milliseconds between two looks at a relay, at most. */
const MAX_IDLE_CHECK = 15_000;

export class Session {
  readonly record: ConnectionRecord;
  /** When `timedOut` must be called, ms; `Infinity` for never. */
  deadline: number;
  readonly #settings: SessionSettings;
  readonly #startedAt: number;
  #headLength = 0;
  /** Gone once the relay has begun, like all that only the way to it needs: an idle connection keeps little. */
  #preread: Preread | undefined;
  readonly #buffer: PrereadBuffer;
  #state: "preread" | "dialing" | "opening" | "relaying" | "closed" = "preread";
  #prelude: Prelude | undefined;
  #tlsCode: TlsErrorCode | undefined;
  /** What limits and access lists know of it; there only where there are some. */
  #visit: Visit | undefined;
  #dial: Dial | undefined;
  #dialStartedAt = 0;
  /** Only where the way to the server is more than a connect. */
  #egress: Egress | undefined;
  #cutReason: Reason | undefined;
  #http: HttpRelay | undefined;
  #moved = 0;
  #movedAt = 0;

  constructor(settings: SessionSettings, record: ConnectionRecord, now: number) {
    this.#settings = settings;
    this.record = record;
    this.#startedAt = now;
    this.#preread = new Preread(settings.protocol, settings.trustedProxies !== undefined);
    this.#buffer = new PrereadBuffer(settings.budget);
    const { kinds, prereadTimeout } = settings;
    this.deadline = now + (kinds?.silent === undefined ? prereadTimeout : Math.min(kinds.silentAfter, prereadTimeout));
    if (settings.admission !== undefined) this.#visit = new Visit(settings.admission);
  }

  /** Local addresses to connect from, where the route or its upstream has some. */
  get bind(): readonly string[] | undefined {
    return this.#egress?.bind;
  }

  /** The first step. */
  start(now: number): Step {
    const trusted = this.#settings.trustedProxies;
    const peer = this.record.peer;
    // A unix socket is guarded by its file's permissions.
    if (trusted === undefined || peer.kind === "unix" || trusted.contains(peer.ip)) return this.#admit(now);
    return this.#close("untrusted_peer", `${peer.ip} is not in trustedProxies`, now);
  }

  #admit(now: number): Step {
    if (this.#visit === undefined) return READ;
    const waits = this.#settings.trustedProxies !== undefined;
    const refusal = this.#visit.arrived(this.record) ?? (waits ? undefined : this.#visit.identified(this.record));
    return refusal === undefined ? READ : this.#close(refusal.reason, refusal.detail, now);
  }

  /** Bytes from the client; only what `read` asked for. */
  received(bytes: Uint8Array, now: number): Step {
    if (this.#state !== "preread") return WAIT;
    this.record.bytesReceived += bytes.length;
    if (!this.#buffer.append(bytes)) return this.#close("preread_memory", "", now);
    if (this.#settings.kinds !== undefined) this.deadline = this.#startedAt + this.#settings.prereadTimeout;
    const prelude = this.#preread!.read(this.#buffer.bytes);
    const refusal = this.#applyProxyHeader();
    if (refusal !== undefined) return this.#close(refusal.reason, refusal.detail, now);
    if (prelude === NEED_MORE) {
      if (this.#buffer.length < this.#settings.prereadBytes) return READ;
      return this.#close("preread_too_large", `${this.#buffer.length} bytes and not complete`, now);
    }
    if (prelude.kind === "answer") {
      this.record.bytesSent += prelude.bytes.length;
      return prelude;
    }
    if (prelude.kind === "failed") {
      this.#tlsCode = prelude.tlsCode;
      return this.#close(prelude.reason, prelude.detail, now, prelude.reply ?? this.#rejection(prelude.reason));
    }
    // However many bytes one read brought: what is too large in two reads must not pass in one.
    const length = preludeBytes(prelude);
    if (length > this.#settings.prereadBytes) return this.#close("preread_too_large", `${length} bytes`, now);
    return this.#routed(prelude, now);
  }

  /** The client's FIN before its first message was complete. */
  ended(now: number): Step {
    if (this.#state !== "preread") return WAIT;
    return this.#close("client_left", `after ${this.#buffer.length} bytes of an unfinished first message`, now);
  }

  /** The client's socket broke before it was relayed. */
  clientClosed(error: IoError | undefined, now: number): Step {
    if (this.#state === "closed") return WAIT;
    return this.#close("client_left", error?.code ?? "", now);
  }

  resolved(name: string, addresses: readonly string[], now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#dial!.resolved(name, addresses, now), now) : WAIT;
  }

  resolveFailed(name: string, error: IoError, now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#dial!.resolveFailed(name, error, now), now) : WAIT;
  }

  connectFailed(attempt: number, error: IoError, now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#dial!.connectFailed(attempt, error, now), now) : WAIT;
  }

  connected(attempt: number, now: number): Step {
    if (this.#state !== "dialing") return WAIT;
    this.#dial!.connected(attempt);
    const opening = this.#egress?.open(this.record);
    if (opening === undefined) return this.#join(attempt, undefined, now);
    this.#state = "opening";
    this.#dial!.opening();
    this.deadline = this.#dial!.deadline;
    return { kind: "exchange", bytes: opening.begin() };
  }

  /** Bytes from the server before it is relayed. */
  serverReceived(bytes: Uint8Array, now: number): Step {
    if (this.#state !== "opening") return WAIT;
    const answer = this.#egress!.opening!.received(bytes);
    if (answer === NEED_MORE) return NOTHING_SENT;
    switch (answer.kind) {
      case "send":
        return { kind: "exchange", bytes: answer.bytes };
      case "done":
        return this.#join(0, answer.surplus.length === 0 ? undefined : answer.surplus, now);
      case "failed":
        return this.#openingFailed(answer, answer.reason, now);
    }
  }

  /** The server's FIN, or its socket broke, before it was relayed. */
  serverClosed(error: IoError | undefined, now: number): Step {
    if (this.#state !== "opening") return WAIT;
    const detail = `${this.record.attempts.at(-1)!.address} closed before the way was open`;
    return this.#openingFailed({ reason: "connect_failed", detail }, error?.code ?? "closed", now);
  }

  #openingFailed(failure: Omit<OpeningFailure, "kind">, outcome: string, now: number): Step {
    this.#state = "dialing";
    return this.#dialed(this.#dial!.openingFailed(failure, outcome, now), now);
  }

  /** @param early what the server has said already. */
  #join(attempt: number, early: Uint8Array | undefined, now: number): Step {
    this.record.connectTime = now - this.#dialStartedAt;
    const step = this.#relay(attempt, early, now);
    if (step.kind !== "relay") return step;
    this.#state = "relaying";
    this.#movedAt = now;
    this.deadline = now + this.#idleCheck();
    this.#visit?.handshakeOver();
    this.#buffer.release();
    this.#preread = undefined;
    this.#prelude = undefined;
    this.#dial = undefined;
    this.#egress = undefined;
    return step;
  }

  /** The relay is over and both sockets are closed. Byte counts include the head. */
  relayed(end: RelayEnd, bytesToServer: number, bytesToClient: number, now: number): Step {
    if (this.#state !== "relaying") return WAIT;
    this.record.bytesReceived += Math.max(0, bytesToServer - this.#headLength);
    this.record.bytesSent += bytesToClient;
    if (end.reason === "ended") return this.#close("ok", this.#droppedText(), now);
    if (this.#http?.broken) return this.#close("malformed_request", BROKEN_BODY, now);
    if (end.reason === "cut") return this.#close(this.#cutReason ?? "internal_error", this.record.detail, now);
    return this.#close(end.reason, end.error?.code ?? "", now);
  }

  /**
   * The deadline has come.
   * @param moved bytes that the relay has moved both ways so far; 0 before it began.
   */
  timedOut(now: number, moved: number): Step {
    if (now < this.deadline) return WAIT;
    switch (this.#state) {
      case "preread":
        return this.#prereadTimedOut(now);
      case "dialing":
        return this.#dialed(this.#dial!.timedOut(now), now);
      case "opening": {
        const detail = `No answer from ${this.record.attempts.at(-1)!.address}`;
        return this.#openingFailed({ reason: "connect_timeout", detail }, "ETIMEDOUT", now);
      }
      case "relaying":
        return this.#checkIdle(now, moved);
      case "closed":
        return WAIT;
    }
  }

  /** Ends the connection from our side; a relay is cut, and `relayed` follows. */
  abort(reason: Reason, now: number): Step {
    if (this.#state === "closed") return WAIT;
    if (this.#state !== "relaying") return this.#close(reason, "", now);
    this.#cutReason ??= reason;
    this.deadline = Infinity;
    return { kind: "cut" };
  }

  // --- routing ---

  #applyProxyHeader(): Refusal | undefined {
    const header = this.#preread!.proxyHeader;
    if (header === undefined) return undefined;
    if (header.source !== undefined) this.record.client = header.source;
    if (header.destination !== undefined) this.record.server = header.destination;
    return this.#visit?.identified(this.record);
  }

  #prereadTimedOut(now: number): Step {
    const silent = this.#settings.kinds?.silent;
    const isSilent = silent !== undefined && this.#buffer.length === this.#preread!.skip;
    if (!isSilent) return this.#close("preread_timeout", `after ${this.#buffer.length} bytes`, now);
    this.record.protocol = "silent";
    return this.#routeTo(silent, { kind: "other" }, now);
  }

  #routed(prelude: Prelude, now: number): Step {
    const { record } = this;
    const { kinds, router } = this.#settings;
    record.protocol = this.#preread!.protocol;
    describe(record, prelude);
    const isNamed = prelude.kind === "tls" || prelude.kind === "http";
    return this.#routeTo(isNamed ? router.match(record.serverName) : kinds![prelude.kind], prelude, now);
  }

  #routeTo(route: Route, prelude: Prelude, now: number): Step {
    this.#prelude = prelude;
    const { record } = this;
    record.route = route.text;
    const denied = route.access && refusedBy(route.access, record, `the route ${route.text}`);
    if (denied !== undefined) return this.#close(denied.reason, denied.detail, now);
    if (route.to.kind === "reject") {
      const isNamed = prelude.kind === "tls" || prelude.kind === "http";
      const unrouted = record.serverName === undefined ? "no_server_name" : "no_route";
      if (!isNamed) return this.#close("unrouted_protocol", "", now);
      return this.#close(route.kind === "default" ? unrouted : "rejected", "", now);
    }
    if (prelude.kind === "http" && this.#settings.redirectToHttps !== undefined) {
      const reply = redirectReply(prelude.head, this.#settings.redirectToHttps);
      if (reply === undefined) return this.#close("malformed_request", "a redirect needs a Host", now);
      return this.#close("redirected", "", now, reply);
    }
    const plan = this.#plan(route);
    if (plan === undefined) return this.#close("no_server_name", "", now);
    this.#visit = withRate(this.#visit, route.rate, this.#settings.rate);
    this.#state = "dialing";
    this.#dialStartedAt = now;
    this.#dial = new Dial(plan, record.attempts, now + this.#settings.connectTimeout);
    return this.#dialed(this.#dial.begin(now), now);
  }

  /** Whom to dial for a route that does not reject; undefined where only a name would tell. */
  #plan(route: RouteOptions): DialPlan | undefined {
    const { upstreams, secrets } = this.#settings;
    const upstream = route.to.kind === "upstream" ? upstreams.get(route.to.name)! : undefined;
    const plan = this.#serverPlan(route, upstream);
    if (plan === undefined) return undefined;
    this.#egress = egressOf(route, upstream?.config, secrets, this.#preread!.sslRequested);
    return this.#egress === undefined ? plan : this.#egress.through(plan);
  }

  #serverPlan({ to, allowPrivate }: RouteOptions, upstream: Upstream | undefined): DialPlan | undefined {
    const { port, directPolicy } = this.#settings;
    const name = this.record.serverName;
    switch (to.kind) {
      case "reject":
        return undefined;
      case "direct":
        return name === undefined ? undefined : new DirectPlan(name, to.port ?? port, directPolicy, allowPrivate);
      case "upstream":
        return new UpstreamPlan(upstream!, port);
      default:
        return new ServerPlan(to, port);
    }
  }

  #dialed(outcome: Step | DialFailure, now: number): Step {
    if (outcome.kind === "failed") return this.#close(outcome.reason, outcome.detail, now);
    this.deadline = this.#dial!.deadline;
    return outcome;
  }

  // --- relaying ---

  #relay(attempt: number, early: Uint8Array | undefined, now: number): Step {
    const { skip } = this.#preread!;
    const preread = skip === 0 ? this.#buffer.bytes : this.#buffer.bytes.subarray(skip);
    const prelude = this.#prelude!;
    const added = this.#egress?.head(this.record) ?? EMPTY;
    let head: Uint8Array;
    if (prelude.kind !== "http") head = join(added, preread);
    else {
      const http = new HttpRelay(prelude.head);
      this.#http = http;
      const body = http.bodyOf(preread);
      if (http.broken) return this.#close("malformed_request", BROKEN_BODY, now);
      if (early !== undefined) http.fromServer(early);
      head = join(join(added, http.headOf(preread)), body);
    }
    this.#headLength = head.length;
    if (early !== undefined) this.record.bytesSent += early.length;
    return { kind: "relay", attempt, head, early, gate: this.#http, rate: this.#visit?.rate };
  }

  #droppedText(): string {
    const dropped = this.#http?.dropped ?? 0;
    return dropped === 0 ? "" : `${dropped} bytes behind the first request were dropped`;
  }

  /** How often to look whether a relay moves: precise enough, and rare. */
  #idleCheck(): number {
    return Math.min(MAX_IDLE_CHECK, Math.max(1, this.#settings.idleTimeout / 4));
  }

  #checkIdle(now: number, moved: number): Step {
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#movedAt = now;
    } else if (now - this.#movedAt >= this.#settings.idleTimeout) return this.abort("idle_timeout", now);
    this.deadline = now + this.#idleCheck();
    return WAIT;
  }

  // --- the end ---

  #close(reason: Reason, detail: string, now: number, reply = this.#rejection(reason)): Step {
    const { record } = this;
    this.#state = "closed";
    this.deadline = Infinity;
    this.#visit?.ended();
    this.#buffer.release();
    record.reason = reason;
    record.detail = detail;
    record.duration = now - this.#startedAt;
    if (reply !== undefined) record.bytesSent += reply.length;
    return { kind: "close", reason, reply };
  }

  #rejection(reason: Reason): Uint8Array | undefined {
    // A relayed client has had the server's own bytes: a word of ours would only corrupt them.
    if (this.#state === "relaying") return undefined;
    // Nobody who has said nothing is told anything.
    if (this.#buffer.length === 0 && this.#state === "preread" && reason === "preread_timeout") return undefined;
    return rejection(reason, this.#preread!.speaks, this.#prelude, this.#tlsCode);
  }
}
