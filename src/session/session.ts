/**
 * One connection, from first byte to log line.
 *
 * Owns: every transition of its state and its record. Sans-I/O and synchronous: inputs are methods, each returns the one
 * step to take next. It must hold no socket, timer or clock: `now` (ms, monotonic) comes in, `deadline` is for `timedOut`.
 */

import type { RelayEnd, RelayPassed } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import { holdsAddress } from "../cidr_set.ts";
import type { Route } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { type IoError, NEED_MORE } from "../errors.ts";
import { type Refusal, Visit, withRate } from "../limits/admission.ts";
import type { Reason } from "../reason.ts";
import type { Member } from "../upstream/member.ts";
import type { DialFailure } from "./dial.ts";
import { FirstMessage } from "./first_message.ts";
import { BROKEN_BODY, ForwardedRequest } from "./forwarded_request.ts";
import { idleCheck } from "./idle_check.ts";
import { guardLoop, type LoopGuard, loopText } from "./loop_guard.ts";
import { describe, describePeers, type Prelude } from "./preread.ts";
import { isRepeatable } from "./repeatable.ts";
import { endAtRoute } from "./route_end.ts";
import type { SessionSettings } from "./session_settings.ts";
import { READ, type Step, WAIT } from "./step.ts";
import { type WayOut, wayOut } from "./way_out.ts";

const EMPTY = new Uint8Array(0);
type RelayStep = Extract<Step, { kind: "relay" }>;

export class Session {
  readonly record: ConnectionRecord;
  /** When `timedOut` must be called, ms; `Infinity` for never. */
  deadline: number;
  /** Bytes of the relay's head: they count as received already. */
  headLength = 0;
  /** Microseconds from accept until a server was looked for; -1: none was. A small integer takes no memory of its own. */
  prereadTime = -1;
  readonly #settings: SessionSettings;
  readonly #startedAt: number;
  /** Gone once the relay has begun, like all that only the way to it needs: an idle connection keeps little. */
  #first: FirstMessage | undefined;
  #state: "preread" | "dialing" | "offering" | "relaying" | "closed" = "preread";
  /** What limits and access lists know of it; there only where there are some. */
  #visit: Visit | undefined;
  /** There while a server is sought. */
  #way: WayOut | undefined;
  /** The upstream's server that this connection counts for. */
  #member: Member | undefined;
  /** Where DNS has a say; gone once it is clear that the connection does not come back. */
  #loop: LoopGuard | undefined;
  #cutReason: Reason | undefined;
  /** HTTP only. */
  #request: ForwardedRequest | undefined;
  #moved = 0;
  #movedAt = 0;
  /** As it was when the relay began: another configuration is for those who come then. */
  #idleTimeout = 0;

  constructor(settings: SessionSettings, record: ConnectionRecord, now: number) {
    this.#settings = settings;
    this.record = record;
    this.#startedAt = now;
    this.#first = new FirstMessage(settings);
    const { kinds, prereadTimeout } = settings;
    this.deadline = now + (kinds?.silent === undefined ? prereadTimeout : Math.min(kinds.silentAfter, prereadTimeout));
    if (settings.admission !== undefined) this.#visit = new Visit(settings.admission);
  }

  /** Local addresses to connect from, if the route or its upstream has some. */
  get bind(): readonly string[] | undefined {
    return this.#way?.bind;
  }

  /** The first step. */
  start(now: number): Step {
    const { trustedProxies: trusted } = this.#settings;
    const { peer } = this.record;
    // A unix socket is guarded by its file's permissions.
    if (trusted === undefined || peer.kind === "unix" || holdsAddress(trusted, peer.ip)) return this.#admit(now);
    return this.#close("untrusted_peer", `${peer.ip} is not in trustedProxies`, now);
  }

  #admit(now: number): Step {
    if (this.#visit === undefined) return READ;
    const waits = this.#settings.trustedProxies !== undefined;
    const refusal = this.#visit.arrived(this.record) ?? (waits ? undefined : this.#visit.identified(this.record));
    return refusal === undefined ? READ : this.#close(refusal.reason, refusal.detail, now);
  }

  /** Bytes from the client; only what `read`, `queue` or `offer` asked for. */
  received(bytes: Uint8Array, now: number): Step {
    if (this.#state === "offering") return this.#moreFromClient(bytes, now);
    if (this.#state === "relaying" || this.#state === "closed") return WAIT;
    this.record.bytesReceived += bytes.length;
    const first = this.#first!;
    if (!first.append(bytes)) return this.#close("preread_memory", "", now);
    if (this.#state !== "preread") return WAIT;
    if (this.#settings.kinds !== undefined) this.deadline = this.#startedAt + this.#settings.prereadTimeout;
    const prelude = first.read();
    const refusal = this.#applyProxyHeader();
    if (refusal !== undefined) return this.#close(refusal.reason, refusal.detail, now);
    if (prelude === NEED_MORE) return READ;
    if (prelude.kind === "answer") {
      this.record.bytesSent += prelude.bytes.length;
      return prelude;
    }
    if (prelude.kind === "failed") {
      return this.#close(prelude.reason, prelude.detail, now, prelude.reply ?? this.#rejection(prelude.reason));
    }
    return this.#routed(prelude, now);
  }

  /** The client's FIN. */
  ended(now: number): Step {
    if (this.#state === "offering") return this.#settle(this.#relayStep(EMPTY), false, now);
    if (this.#state === "dialing") this.#way!.dial.clientEnded = true;
    if (this.#state !== "preread") return WAIT;
    return this.#close("client_left", `after ${this.#first!.length} bytes of an unfinished first message`, now);
  }

  /** The client's socket broke before it was relayed. */
  clientClosed(error: IoError | undefined, now: number): Step {
    if (this.#state === "closed") return WAIT;
    return this.#close(this.#state === "offering" ? "client_reset" : "client_left", error?.code ?? "", now);
  }

  resolved(name: string, addresses: readonly string[], now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#way!.dial.resolved(name, addresses, now), now) : WAIT;
  }

  resolveFailed(name: string, error: IoError, now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#way!.dial.resolveFailed(name, error, now), now) : WAIT;
  }

  connectFailed(attempt: number, error: IoError, now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#way!.dial.connectFailed(attempt, error, now), now) : WAIT;
  }

  /** @param socket the server's. */
  connected(attempt: number, now: number, socket?: { readonly local: Endpoint }): Step {
    if (this.#state !== "dialing") return WAIT;
    if (socket !== undefined) this.#loop?.leftFrom(socket);
    const way = this.#way!;
    way.dial.connected(attempt, now);
    const opening = way.opening(this.record);
    return opening === undefined ? this.#offer(now) : this.#dialed(way.dial.open(opening), now);
  }

  /** The way to the server is open. */
  #offer(now: number, early: Uint8Array = EMPTY): Step {
    this.record.connectTime = this.#way!.elapsed(now);
    const step = this.#relay(now);
    if (step.kind !== "relay") return step;
    if (early.length > 0) return this.#heard(step, early, now);
    const { prelude, bytes } = this.#first!;
    const until = isRepeatable(prelude!, bytes.length) ? this.#way!.dial.offerUntil(now) : undefined;
    if (until === undefined) return this.#settle(step, false, now);
    this.#state = "offering";
    this.headLength = 0;
    this.deadline = until;
    return { kind: "offer", head: step.head };
  }

  /** A server has room for a connection that waits. */
  freed(now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#way!.dial.freed(now), now) : WAIT;
  }

  /** Bytes of a server that is spoken to; the first ones of a server that was offered the connection make it its own. */
  serverReceived(bytes: Uint8Array, now: number): Step {
    if (this.#state === "offering") return this.#heard(this.#relayStep(EMPTY), bytes, now);
    if (this.#state !== "dialing") return WAIT;
    const outcome = this.#way!.dial.opened(bytes, now);
    return outcome.kind === "done" ? this.#offer(now, outcome.surplus) : this.#dialed(outcome, now);
  }

  #heard(step: RelayStep, bytes: Uint8Array, now: number): Step {
    this.record.bytesSent += bytes.length;
    const gate = this.#request;
    const sees = gate?.fromServer(bytes) ?? false;
    const left = gate === undefined || sees ? gate : { fromClient: gate.fromClient, fromServer: undefined };
    return this.#settle({ ...step, gate: left, answer: bytes }, true, now);
  }

  /** A server that was spoken to, or offered the connection, has closed it: the next one gets the same bytes. */
  serverGone(error: IoError | undefined, now: number): Step {
    if (this.#state === "dialing") return this.#dialed(this.#way!.dial.openingGone(error, now), now);
    if (this.#state !== "offering") return WAIT;
    this.#state = "dialing";
    return this.#dialed(this.#way!.dial.lost(error?.code ?? "closed", now), now);
  }

  /** A server is spoken to, or was offered the connection and did not speak yet. */
  get holdsServer(): boolean {
    return this.#state === "offering" || (this.#state === "dialing" && this.#way!.dial.isOpening);
  }

  /** More from the client: what a server was told can no longer be told to another. */
  #moreFromClient(bytes: Uint8Array, now: number): Step {
    const passed = this.#request?.fromClient(bytes) ?? bytes.length;
    if (passed < 0) return this.#close("malformed_request", BROKEN_BODY, now);
    return this.#settle(this.#relayStep(bytes.slice(0, passed)), false, now);
  }

  /** The server that connected stays, and all that led to it is let go. @param heard it has spoken. */
  #settle(step: RelayStep, heard: boolean, now: number): Step {
    this.#member = this.#way!.dial.settle(heard, now);
    this.#state = "relaying";
    this.#movedAt = now;
    this.#idleTimeout = this.#settings.idleTimeout;
    this.deadline = now + idleCheck(this.#idleTimeout);
    this.#visit?.handshakeOver();
    this.#first!.release();
    this.#first = undefined;
    this.#way = undefined;
    // A list that grew has room for many more, which nobody needs from now on.
    this.record.attempts = this.record.attempts.slice();
    return step.rate === undefined ? step : { ...step, passed: this.#passed(step) };
  }

  /** Bytes before the relay: they count for its rate, or whoever sends all at once would have none. */
  #passed({ head }: RelayStep): RelayPassed {
    const { bytesReceived, bytesSent } = this.record;
    return { up: bytesReceived + head.length - this.headLength, down: bytesSent };
  }

  /** The relay is over and both sockets are closed. Byte counts include the head. */
  relayed(end: RelayEnd, bytesToServer: number, bytesToClient: number, now: number): Step {
    if (this.#state !== "relaying") return WAIT;
    this.record.bytesReceived += Math.max(0, bytesToServer - this.headLength);
    this.record.bytesSent += bytesToClient;
    if (end.reason === "ended") return this.#close("ok", this.#request?.note ?? "", now);
    if (end.reason === "cut" && this.#cutReason === undefined && this.#request?.isBroken === true) {
      return this.#close("malformed_request", BROKEN_BODY, now);
    }
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
        return this.#dialed(this.#way!.dial.timedOut(now), now);
      case "offering":
        return this.#settle(this.#relayStep(EMPTY), false, now);
      case "relaying":
        return this.#checkIdle(now, moved);
      case "closed":
        return WAIT;
    }
  }

  /** The upstream's server that it is relayed to, if any. */
  get member(): Member | undefined {
    return this.#member;
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
    return describePeers(this.record, this.#first!.proxyHeader) ? this.#visit?.identified(this.record) : undefined;
  }

  #prereadTimedOut(now: number): Step {
    const silent = this.#settings.kinds?.silent;
    const first = this.#first!;
    const isSilent = silent !== undefined && first.bytes.length === 0;
    if (!isSilent) return this.#close("preread_timeout", `after ${first.length} bytes`, now);
    this.record.protocol = "silent";
    return this.#routeTo(silent, { kind: "other" }, now);
  }

  #routed(prelude: Prelude, now: number): Step {
    const { record } = this;
    const { kinds, router } = this.#settings;
    record.protocol = this.#first!.protocol;
    describe(record, prelude);
    const isNamed = prelude.kind === "tls" || prelude.kind === "http";
    return this.#routeTo(isNamed ? router.match(record.serverName) : kinds![prelude.kind], prelude, now);
  }

  #routeTo(route: Route, prelude: Prelude, now: number): Step {
    const first = this.#first!;
    first.prelude = prelude;
    const { record } = this;
    record.route = route.text;
    const end = endAtRoute(route, prelude, record, this.#settings.redirectToHttps);
    if (end !== undefined) return this.#close(end.reason, end.detail, now, end.reply);
    const way = wayOut(route, record, this.#settings, first.sslRequested, now);
    if (way === undefined) return this.#close("no_server_name", "", now);
    this.#loop = guardLoop(this.#settings, route, prelude, record.peer, first.bytes);
    if (this.#loop?.isBack) return this.#close("loop", loopText(record), now);
    this.#visit = withRate(this.#visit, route.rate, this.#settings.rate);
    this.#state = "dialing";
    this.#way = way;
    this.prereadTime = Math.round(1000 * (now - this.#startedAt));
    return this.#dialed(way.dial.begin(now), now);
  }

  #dialed(outcome: Step | DialFailure, now: number): Step {
    if (outcome.kind === "failed") return this.#close(outcome.reason, outcome.detail, now);
    this.deadline = this.#way!.dial.deadline;
    return outcome;
  }

  // --- relaying ---

  #relay(now: number): Step {
    const { bytes, prelude } = this.#first!;
    if (prelude!.kind === "http") this.#request = new ForwardedRequest(prelude!.head);
    const message = this.#request === undefined ? bytes : this.#request.begin(bytes);
    if (message === undefined) return this.#close("malformed_request", BROKEN_BODY, now);
    const head = this.#way!.head(this.record, message);
    this.headLength = head.length;
    return this.#relayStep(head);
  }

  #relayStep(head: Uint8Array): RelayStep {
    return { kind: "relay", head, gate: this.#request, answer: undefined, rate: this.#visit?.rate };
  }

  #checkIdle(now: number, moved: number): Step {
    // What comes back does so at once.
    this.#loop = this.#loop?.leave();
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#movedAt = now;
    } else if (now - this.#movedAt >= this.#idleTimeout) return this.abort("idle_timeout", now);
    this.deadline = now + idleCheck(this.#idleTimeout);
    return WAIT;
  }

  // --- the end ---

  #close(reason: Reason, detail: string, now: number, reply = this.#rejection(reason)): Step {
    const { record } = this;
    this.#way?.dial.abandon();
    this.#loop = this.#loop?.leave();
    this.#member?.release();
    this.#member = undefined;
    this.#state = "closed";
    this.deadline = Infinity;
    this.#visit?.ended();
    this.#first?.release();
    record.reason = reason;
    record.detail = detail;
    record.duration = now - this.#startedAt;
    if (reply !== undefined) record.bytesSent += reply.length;
    return { kind: "close", reason, reply };
  }

  #rejection(reason: Reason): Uint8Array | undefined {
    // A relayed client has had the server's own bytes: a word of ours would only corrupt them.
    if (this.#state === "relaying") return undefined;
    const first = this.#first!;
    // Nobody who has said nothing is told anything.
    if (first.length === 0 && this.#state === "preread" && reason === "preread_timeout") return undefined;
    return first.rejection(reason);
  }
}
