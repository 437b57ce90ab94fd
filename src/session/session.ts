/**
 * One connection, from first byte to log line.
 *
 * Owns: every transition of its state and its record. Sans-I/O and synchronous: inputs are methods, each
 * returns the one step to take next. It must not hold a socket, a timer or a clock: `now` (ms, monotonic) is an
 * argument, and `deadline` says when `timedOut` is due.
 */

import type { RelayEnd } from "../adapter.ts";
import type { RouteOptions, UpstreamConfig } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { type IoError, NEED_MORE } from "../errors.ts";
import { encodeReply, httpsLocation } from "../http/reply.ts";
import type { RequestHead } from "../http/request_head.ts";
import { type Refusal, refusedBy, Visit, withRate } from "../limits/admission.ts";
import { writeProxyHeader } from "../proxy_protocol/write_proxy_header.ts";
import type { Reason } from "../reason.ts";
import type { TlsErrorCode } from "../tls/client_hello.ts";
import type { Member } from "../upstream/member.ts";
import { Dial, type DialFailure, type DialPlan } from "./dial.ts";
import { DirectPlan, ServerPlan, UpstreamPlan } from "./dial_plan.ts";
import { BROKEN_BODY, ForwardedRequest } from "./forwarded_request.ts";
import { describe, type Prelude, Preread } from "./preread.ts";
import { PrereadBuffer } from "./preread_buffer.ts";
import { httpRejection, tlsRejection } from "./rejection.ts";
import { isRepeatable } from "./repeatable.ts";
import type { SessionSettings } from "./session_settings.ts";
import { READ, type Step, WAIT } from "./step.ts";

const EMPTY = new Uint8Array(0);
type RelayStep = Extract<Step, { kind: "relay" }>;
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
  #state: "preread" | "dialing" | "offering" | "relaying" | "closed" = "preread";
  #prelude: Prelude | undefined;
  #tlsCode: TlsErrorCode | undefined;
  /** What limits and access lists know of it; there only where there are some. */
  #visit: Visit | undefined;
  #dial: Dial | undefined;
  #dialStartedAt = 0;
  /** The upstream's server that this connection counts for. */
  #member: Member | undefined;
  #proxyVersion: UpstreamConfig["proxyProtocol"];
  #cutReason: Reason | undefined;
  /** HTTP only. */
  #request: ForwardedRequest | undefined;
  #moved = 0;
  #movedAt = 0;

  constructor(settings: SessionSettings, record: ConnectionRecord, now: number) {
    this.#settings = settings;
    this.record = record;
    this.#startedAt = now;
    this.#preread = new Preread(settings.protocol, settings.trustedProxies !== undefined);
    this.#buffer = new PrereadBuffer(settings.budget);
    this.deadline = now + settings.prereadTimeout;
    if (settings.admission !== undefined) this.#visit = new Visit(settings.admission);
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

  /** Bytes from the client; only what `read`, `queue` or `offer` asked for. */
  received(bytes: Uint8Array, now: number): Step {
    if (this.#state === "offering") return this.#moreFromClient(bytes, now);
    if (this.#state !== "preread" && this.#state !== "dialing") return WAIT;
    this.record.bytesReceived += bytes.length;
    if (!this.#buffer.append(bytes)) return this.#close("preread_memory", "", now);
    if (this.#state === "dialing") return WAIT;
    const prelude = this.#preread!.read(this.#buffer.bytes);
    const refusal = this.#applyProxyHeader();
    if (refusal !== undefined) return this.#close(refusal.reason, refusal.detail, now);
    if (prelude === NEED_MORE) {
      if (this.#buffer.length < this.#settings.prereadBytes) return READ;
      return this.#close("preread_too_large", `${this.#buffer.length} bytes and not complete`, now);
    }
    if (prelude.kind === "failed") {
      this.#tlsCode = prelude.tlsCode;
      return this.#close(prelude.reason, prelude.detail, now);
    }
    // However many bytes one read brought: what is too large in two reads must not pass in one.
    const length = prelude.kind === "tls" ? prelude.hello.bytes : prelude.head.bytes;
    if (length > this.#settings.prereadBytes) return this.#close("preread_too_large", `${length} bytes`, now);
    return this.#routed(prelude, now);
  }

  /** The client's FIN. */
  ended(now: number): Step {
    if (this.#state === "offering") return this.#settle(this.#relayStep(EMPTY), false, now);
    if (this.#state === "dialing") this.#dial!.clientEnded = true;
    if (this.#state !== "preread") return WAIT;
    return this.#close("client_left", `after ${this.#buffer.length} bytes of an unfinished first message`, now);
  }

  /** The client's socket broke before it was relayed. */
  clientClosed(error: IoError | undefined, now: number): Step {
    if (this.#state === "closed") return WAIT;
    return this.#close(this.#state === "offering" ? "client_reset" : "client_left", error?.code ?? "", now);
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
    const dial = this.#dial!;
    dial.connected(attempt);
    this.record.connectTime = now - this.#dialStartedAt;
    const step = this.#relay(now);
    if (step.kind !== "relay") return step;
    const length = this.#buffer.length - this.#preread!.skip;
    const until = isRepeatable(this.#prelude!, length) ? dial.offerUntil(now) : undefined;
    if (until === undefined) return this.#settle(step, false, now);
    this.#state = "offering";
    this.#headLength = 0;
    this.deadline = until;
    return { kind: "offer", attempt, head: step.head };
  }

  /** A server has room for a connection that waits. */
  freed(now: number): Step {
    return this.#state === "dialing" ? this.#dialed(this.#dial!.freed(now), now) : WAIT;
  }

  /** The first bytes of a server that was offered the connection: from now on it is its own. */
  serverReceived(bytes: Uint8Array, now: number): Step {
    if (this.#state !== "offering") return WAIT;
    this.record.bytesSent += bytes.length;
    const gate = this.#request;
    const sees = gate?.fromServer(bytes) ?? false;
    const left = gate === undefined || sees ? gate : { fromClient: gate.fromClient, fromServer: undefined };
    return this.#settle({ ...this.#relayStep(EMPTY), gate: left, answer: bytes }, true, now);
  }

  /** A server that was offered the connection has closed it: the next one gets the same bytes. */
  serverGone(error: IoError | undefined, now: number): Step {
    if (this.#state !== "offering") return WAIT;
    this.#state = "dialing";
    return this.#dialed(this.#dial!.lost(error?.code ?? "closed", now), now);
  }

  /** A server has been offered the connection and did not speak yet. */
  get isOffering(): boolean {
    return this.#state === "offering";
  }

  /** More from the client: what a server was told can no longer be told to another. */
  #moreFromClient(bytes: Uint8Array, now: number): Step {
    const passed = this.#request?.fromClient(bytes) ?? bytes.length;
    if (passed < 0) return this.#close("malformed_request", BROKEN_BODY, now);
    return this.#settle(this.#relayStep(bytes.slice(0, passed)), false, now);
  }

  /** The server that connected stays, and all that led to it is let go. @param heard it has spoken. */
  #settle(step: RelayStep, heard: boolean, now: number): Step {
    this.#member = this.#dial!.settle(heard, now);
    this.#state = "relaying";
    this.#movedAt = now;
    this.deadline = now + this.#idleCheck();
    this.#visit?.handshakeOver();
    this.#buffer.release();
    this.#preread = undefined;
    this.#prelude = undefined;
    this.#dial = undefined;
    return step;
  }

  /** The relay is over and both sockets are closed. Byte counts include the head. */
  relayed(end: RelayEnd, bytesToServer: number, bytesToClient: number, now: number): Step {
    if (this.#state !== "relaying") return WAIT;
    this.record.bytesReceived += Math.max(0, bytesToServer - this.#headLength);
    this.record.bytesSent += bytesToClient;
    if (end.reason === "ended") return this.#close("ok", this.#droppedText(), now);
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
        return this.#close("preread_timeout", `after ${this.#buffer.length} bytes`, now);
      case "dialing":
        return this.#dialed(this.#dial!.timedOut(now), now);
      case "offering":
        return this.#settle(this.#relayStep(EMPTY), false, now);
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

  #routed(prelude: Prelude, now: number): Step {
    this.#prelude = prelude;
    const record = this.record;
    describe(record, prelude);
    const route = this.#settings.router.match(record.serverName);
    record.route = route.text;
    const denied = route.access && refusedBy(route.access, record, `the route ${route.text}`);
    if (denied !== undefined) return this.#close(denied.reason, denied.detail, now);
    if (route.to.kind === "reject") {
      const unrouted = record.serverName === undefined ? "no_server_name" : "no_route";
      return this.#close(route.kind === "default" ? unrouted : "rejected", "", now);
    }
    if (prelude.kind === "http" && this.#settings.redirectToHttps !== undefined)
      return this.#redirect(prelude.head, now);
    const plan = this.#plan(route);
    if (plan === undefined) return this.#close("no_server_name", "", now);
    this.#visit = withRate(this.#visit, route.rate, this.#settings.rate);
    this.#state = "dialing";
    this.#dialStartedAt = now;
    this.#dial = new Dial(plan, record.attempts, now + this.#settings.connectTimeout);
    return this.#dialed(this.#dial.begin(now), now);
  }

  /** Whom to dial for a route that does not reject; undefined where only a name would tell. */
  #plan({ to, allowPrivate }: RouteOptions): DialPlan | undefined {
    const { port, directPolicy, upstreams } = this.#settings;
    const name = this.record.serverName;
    switch (to.kind) {
      case "reject":
        return undefined;
      case "direct":
        return name === undefined ? undefined : new DirectPlan(name, to.port ?? port, directPolicy, allowPrivate);
      case "upstream": {
        const upstream = upstreams.get(to.name)!;
        this.#proxyVersion = upstream.config.proxyProtocol;
        return new UpstreamPlan(upstream, this.record, port);
      }
      default:
        return new ServerPlan(to, port);
    }
  }

  #redirect(head: RequestHead, now: number): Step {
    const location = httpsLocation(head, this.#settings.redirectToHttps!);
    if (location === undefined) return this.#close("malformed_request", "a redirect needs a Host", now);
    return this.#close(
      "redirected",
      "",
      now,
      encodeReply(308, { detail: "redirected to https", location, method: head.method }),
    );
  }

  #dialed(outcome: Step | DialFailure, now: number): Step {
    if (outcome.kind === "failed") return this.#close(outcome.reason, outcome.detail, now);
    this.deadline = this.#dial!.deadline;
    return outcome;
  }

  // --- relaying ---

  #relay(now: number): Step {
    const { skip } = this.#preread!;
    const preread = skip === 0 ? this.#buffer.bytes : this.#buffer.bytes.subarray(skip);
    const prelude = this.#prelude!;
    let head = this.#proxyHeader();
    if (prelude.kind === "tls") head = join(head, preread);
    else {
      this.#request = new ForwardedRequest(prelude.head);
      const parts = this.#request.begin(preread);
      if (parts === undefined) return this.#close("malformed_request", BROKEN_BODY, now);
      head = join(join(head, parts[0]), parts[1]);
    }
    this.#headLength = head.length;
    return this.#relayStep(head);
  }

  #relayStep(head: Uint8Array): RelayStep {
    return { kind: "relay", head, gate: this.#request, answer: undefined, rate: this.#visit?.rate };
  }

  /** The PROXY header that the server expects, if any. */
  #proxyHeader(): Uint8Array {
    const { client, server } = this.record;
    if (this.#proxyVersion === undefined) return EMPTY;
    return writeProxyHeader(this.#proxyVersion === "v1" ? 1 : 2, client, server);
  }

  #droppedText(): string {
    const dropped = this.#request?.dropped ?? 0;
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
    if (this.#state === "dialing" || this.#state === "offering") this.#dial!.abandon();
    this.#member?.release();
    this.#member = undefined;
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
    const prelude = this.#prelude;
    // Nobody who has said nothing is told anything.
    if (this.#buffer.length === 0 && this.#state === "preread" && reason === "preread_timeout") return undefined;
    if (this.#settings.protocol === "http") {
      return httpRejection(reason, prelude?.kind === "http" ? prelude.head.method : undefined);
    }
    const hello = prelude?.kind === "tls" ? prelude.hello : undefined;
    return tlsRejection(reason, { hello, errorCode: this.#tlsCode });
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
