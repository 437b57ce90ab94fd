/**
 * The ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2) as far as routing needs it: server_name (RFC 6066 3),
 * ALPN (RFC 7301 3.1), supported_versions (RFC 8446 4.2.1) and whether ECH is there (RFC 9849 5).
 *
 * Read strictly: every length must fit exactly, because two readers that repair a broken hello in two
 * ways can see two names. It must not judge what only the server can (ciphers, versions, compression).
 */

import { ByteCache } from "../byte_cache.ts";
import { Reader } from "../bytes.ts";
import { type NeedMore, ParseError } from "../errors.ts";
import { normalizeWireName } from "../hostname.ts";
import { ExtensionTypes } from "./extension_types.ts";
import { HandshakeReader, type TlsErrorCode, wireOffset } from "./record.ts";

export { MAX_HELLO_BYTES, type TlsErrorCode } from "./record.ts";

export interface ClientHello {
  /** The host_name, normalised (lower case, no trailing dot); `undefined` when the client sent none. */
  readonly serverName: string | undefined;
  /** ALPN protocol names in the client's order, one character a byte (ISO 8859-1): escape before printing. */
  readonly alpn: readonly string[];
  /** supported_versions as sent, GREASE kept; empty when the extension is absent. */
  readonly versions: readonly number[];
  readonly legacyVersion: number;
  /** An encrypted_client_hello extension is there, real or GREASE; `serverName` is then the outer name. */
  readonly ech: boolean;
  /** Bytes on the wire up to the end of the hello, record headers included. */
  readonly bytes: number;
}

/** Reads one ClientHello from the start of a connection. One reader a connection. */
export class ClientHelloReader {
  readonly #records = new HandshakeReader();

  /**
   * @param buffer all bytes so far: the same prefix at every call, more behind it. Bytes behind the hello are not looked at.
   * @returns the hello, `NEED_MORE`, or what is wrong, as early as it can be known. Not to be called again after the last two.
   */
  read(buffer: Uint8Array): ClientHello | NeedMore | ParseError<TlsErrorCode> {
    const body = this.#records.read(buffer);
    if (typeof body === "symbol" || body instanceof ParseError) return body;
    const reader = new Reader(body.bytes, body.start, body.end);
    const hello = new Hello(body.wireBytes);
    const fault = readHello(reader, hello);
    if (fault === undefined) return hello;
    const offset = wireOffset(buffer, 4 + reader.position - body.start);
    return new ParseError(fault.code, offset, fault.detail);
  }
}

class Hello implements ClientHello {
  serverName: string | undefined = undefined;
  alpn: readonly string[] = NONE;
  versions: readonly number[] = NONE;
  legacyVersion = 0;
  ech = false;
  readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

const NONE: readonly never[] = Object.freeze([]);

interface Fault {
  readonly code: TlsErrorCode;
  readonly detail: string;
}

function decodeError(detail: string): Fault {
  return { code: "decode_error", detail };
}

function illegalParameter(detail: string): Fault {
  return { code: "illegal_parameter", detail };
}

const BAD_FIELDS = decodeError("a field of the ClientHello has a wrong length");
const BAD_EXTENSIONS = decodeError("the extensions do not fill the ClientHello exactly");
const BAD_EXTENSION = decodeError("an extension's length runs past the extensions");
const TWICE = illegalParameter("an extension comes twice");
const NOT_LAST = illegalParameter("pre_shared_key is not the last extension");
const BAD_NAMES = decodeError("server_name: lengths do not fit");
const EMPTY_NAME = decodeError("server_name: empty host_name");
const TWO_NAMES = illegalParameter("server_name: two names of one type");
const NO_HOST_NAME = illegalParameter("server_name: not a host name");
const BAD_ALPN = decodeError("ALPN: lengths do not fit, or an empty name");
const BAD_VERSIONS = decodeError("supported_versions: lengths do not fit");

const SERVER_NAME = 0;
const ALPN = 16;
const PRE_SHARED_KEY = 41;
const SUPPORTED_VERSIONS = 43;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

function readHello(reader: Reader, hello: Hello): Fault | undefined {
  hello.legacyVersion = reader.uint16();
  reader.skip(32); // random
  const session = reader.uint8();
  if (session > 32) return BAD_FIELDS;
  reader.skip(session);
  const ciphers = reader.uint16();
  if (ciphers < 2 || ciphers % 2 !== 0) return BAD_FIELDS;
  reader.skip(ciphers);
  const compressions = reader.uint8();
  if (compressions === 0) return BAD_FIELDS;
  reader.skip(compressions);
  if (reader.failed) return BAD_FIELDS;
  // Before TLS 1.2 there may be no extensions field at all (RFC 5246 7.4.1.2).
  return reader.remaining === 0 ? undefined : readExtensions(reader, hello);
}

/** Of the hello that is being read. */
const seen = new ExtensionTypes();

function readExtensions(reader: Reader, hello: Hello): Fault | undefined {
  if (reader.uint16() !== reader.remaining || reader.failed) return BAD_EXTENSIONS;
  seen.clear();
  let last = -1;
  while (reader.remaining > 0) {
    const type = reader.uint16();
    const outer = reader.open(reader.uint16());
    if (reader.failed) return BAD_EXTENSION;
    if (!seen.add(type)) return TWICE;
    if (last === PRE_SHARED_KEY) return NOT_LAST; // RFC 8446 4.2.11
    last = type;
    const fault = readExtension(reader, type, hello);
    if (fault !== undefined) return fault;
    reader.close(outer);
  }
  return reader.failed ? BAD_EXTENSION : undefined;
}

/** Reads the whole of one extension's data, or reports why it cannot. */
function readExtension(reader: Reader, type: number, hello: Hello): Fault | undefined {
  switch (type) {
    case SERVER_NAME:
      return readServerNames(reader, hello);
    case ALPN:
      return readAlpn(reader, hello);
    case SUPPORTED_VERSIONS:
      return readVersions(reader, hello);
    case ENCRYPTED_CLIENT_HELLO:
      hello.ech = true;
  }
  reader.skip(reader.remaining);
  return undefined;
}

const HOST_NAME = 0;

/** By an extension's data. */
const serverNames = new ByteCache<string>();
const alpnLists = new ByteCache<readonly string[]>();
const versionLists = new ByteCache<readonly number[]>();

/** ServerNameList<1..2^16-1>; names of other types begin with a 16-bit length too (RFC 6066 3). */
function readServerNames(reader: Reader, hello: Hello): Fault | undefined {
  const start = reader.position;
  hello.serverName = reader.known(serverNames);
  if (hello.serverName !== undefined) return undefined;
  if (reader.uint16() !== reader.remaining || reader.remaining === 0) return BAD_NAMES;
  let otherTypes: Set<number> | undefined;
  while (reader.remaining > 0) {
    const type = reader.uint8();
    const length = reader.uint16();
    if (reader.failed || length > reader.remaining) return BAD_NAMES;
    if (type !== HOST_NAME) {
      otherTypes ??= new Set();
      if (otherTypes.has(type)) return TWO_NAMES;
      otherTypes.add(type);
      reader.skip(length);
      continue;
    }
    if (hello.serverName !== undefined) return TWO_NAMES;
    if (length === 0) return EMPTY_NAME;
    hello.serverName = normalizeWireName(reader.take(length));
    if (hello.serverName === undefined) return NO_HOST_NAME;
  }
  if (hello.serverName !== undefined) reader.remember(serverNames, start, hello.serverName);
  return undefined;
}

/** ProtocolNameList<2..2^16-1> of ProtocolName<1..2^8-1> (RFC 7301 3.1). */
function readAlpn(reader: Reader, hello: Hello): Fault | undefined {
  const start = reader.position;
  const known = reader.known(alpnLists);
  if (known !== undefined) {
    hello.alpn = known;
    return undefined;
  }
  if (reader.uint16() !== reader.remaining || reader.remaining === 0) return BAD_ALPN;
  const names: string[] = [];
  while (reader.remaining > 0) {
    const length = reader.uint8();
    if (length === 0 || length > reader.remaining) return BAD_ALPN;
    names.push(reader.text(length));
  }
  hello.alpn = names;
  reader.remember(alpnLists, start, names);
  return undefined;
}

/** ProtocolVersion versions<2..254> (RFC 8446 4.2.1). */
function readVersions(reader: Reader, hello: Hello): Fault | undefined {
  const start = reader.position;
  const known = reader.known(versionLists);
  if (known !== undefined) {
    hello.versions = known;
    return undefined;
  }
  const length = reader.uint8();
  if (length !== reader.remaining || length === 0 || length % 2 !== 0) return BAD_VERSIONS;
  const versions: number[] = [];
  while (reader.remaining > 0) versions.push(reader.uint16());
  hello.versions = versions;
  reader.remember(versionLists, start, versions);
  return undefined;
}
