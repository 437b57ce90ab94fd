/**
 * IP addresses, networks and endpoints as text: strict in, canonical out.
 *
 * Owns: the only parser and formatter of addresses, and what an address is for (loopback, private, …).
 * It must not resolve names, and takes no form but the strict one: no octal, no short forms, no zone ids.
 * RFC 4291 §2.2 (IPv6 text), RFC 5952 (canonical form), RFC 6890 and the IANA special-purpose registries.
 */

export interface TcpEndpoint {
  readonly kind: "tcp";
  /** Canonical text: RFC 5952 without brackets, IPv4-mapped addresses as IPv4. */
  readonly ip: string;
  readonly port: number;
}

export interface UnixEndpoint {
  readonly kind: "unix";
  /** Absolute path of the socket's file. */
  readonly path: string;
}

export type Endpoint = TcpEndpoint | UnixEndpoint;

/** An address in network byte order: 4 bytes, or 16 that are not IPv4-mapped. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
}

/** A network: every address whose first `prefix` bits are those of `base`. */
export interface Cidr {
  readonly base: IpAddress;
  readonly prefix: number;
}

const DOT = 0x2e;
const COLON = 0x3a;
/** A `sockaddr_un` holds 108 bytes with the closing NUL. */
const MAX_UNIX_PATH = 107;

/** Reads four decimal octets from `text[start, end)` into `out[offset…]`. */
function readIpv4(text: string, start: number, end: number, out: Uint8Array, offset: number): boolean {
  let value = -1;
  let octets = 0;
  for (let i = start; i <= end; i++) {
    const code = i === end ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (value < 0 || octets === 4) return false;
      out[offset + octets++] = value;
      value = -1;
    } else if (code < 0x30 || code > 0x39 || value === 0) {
      return false;
    } else {
      value = (value < 0 ? 0 : value * 10) + code - 0x30;
      if (value > 255) return false;
    }
  }
  return octets === 4;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** The 16 bytes of an IPv6 text, IPv4-mapped ones included as they are. */
function readIpv6(text: string): Uint8Array | undefined {
  const length = text.length;
  if (length < 2 || length > 45) return undefined;
  const out = new Uint8Array(16);
  let filled = 0;
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    at = 2;
  }
  while (at < length) {
    if (filled === 16) return undefined;
    const start = at;
    let group = 0;
    for (let digit = 0; at < length; at++) {
      digit = hexValue(text.charCodeAt(at));
      if (digit < 0) break;
      if (at - start === 4) return undefined;
      group = group * 16 + digit;
    }
    if (at < length && text.charCodeAt(at) === DOT) {
      if (filled > 12 || !readIpv4(text, start, length, out, filled)) return undefined;
      filled += 4;
      break;
    }
    if (at === start) return undefined;
    out[filled] = group >> 8;
    out[filled + 1] = group & 0xff;
    filled += 2;
    if (at === length) break;
    if (text.charCodeAt(at) !== COLON || ++at === length) return undefined;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return undefined;
      gap = filled;
      at++;
    }
  }
  if (gap < 0) return filled === 16 ? out : undefined;
  // `::` stands for at least one group of zeros (RFC 4291 §2.2).
  if (filled > 14) return undefined;
  out.copyWithin(16 - (filled - gap), gap, filled);
  return out.fill(0, gap, 16 - (filled - gap));
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Writes the four bytes of an IPv4 text to `out[offset…]`; false, and nothing of use is written, where it is none. */
export function writeIpv4(text: string, out: Uint8Array, offset: number): boolean {
  return readIpv4(text, 0, text.length, out, offset);
}

/** Parses an address without brackets; an IPv4-mapped one (`::ffff:1.2.3.4`) becomes IPv4. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(":")) {
    const bytes = new Uint8Array(4);
    return readIpv4(text, 0, text.length, bytes, 0) ? { family: 4, bytes } : undefined;
  }
  const bytes = readIpv6(text);
  if (bytes === undefined) return undefined;
  return isMapped(bytes) ? { family: 4, bytes: bytes.slice(12) } : { family: 6, bytes };
}

function formatIpv4(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** First group and length of the longest run of two or more zero groups (RFC 5952 §4.2). */
function longestZeroRun(groups: readonly number[]): readonly [number, number] {
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i > bestLength) {
      best = i;
      bestLength = end - i;
    }
    if (end > i) i = end;
  }
  return [best, bestLength];
}

/**
 * The canonical text of 4 or 16 bytes, without brackets. 16 bytes that are an IPv4-mapped address give
 * the IPv4 form, so that one machine has one name.
 * @throws {RangeError} for any other length.
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return formatIpv4(bytes, 0);
  if (bytes.length !== 16) throw new RangeError("Cannot format an IP address: it has neither 4 nor 16 bytes");
  if (isMapped(bytes)) return formatIpv4(bytes, 12);
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i] as number) * 256 + (bytes[i + 1] as number));
  const [start, length] = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The canonical text of an address, or `undefined` where `text` is none. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip === undefined ? undefined : formatIp(ip.bytes);
}

/** A decimal port without sign or leading zeros, 1 to 65535 (0 too, if allowed). */
export function parsePort(text: string, allowZero = false): number | undefined {
  if (text.length === 0 || text.length > 5) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9 || (i > 0 && value === 0)) return undefined;
    value = value * 10 + digit;
  }
  return value > 65535 || (value === 0 && !allowZero) ? undefined : value;
}

export interface EndpointOptions {
  /** Port 0, "any free one", is accepted: for listeners only. */
  readonly allowPortZero?: boolean;
}

function isUnixPath(path: string): boolean {
  if (path.charCodeAt(0) !== 0x2f || path.length < 2) return false;
  let bytes = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
  }
  return bytes <= MAX_UNIX_PATH;
}

/** Parses `1.2.3.4:443`, `[::1]:443` or `unix:/absolute/path` (107 bytes at most). */
export function parseEndpoint(text: string, options: EndpointOptions = {}): Endpoint | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice(5);
    return isUnixPath(path) ? { kind: "unix", path } : undefined;
  }
  const colon = text.lastIndexOf(":");
  if (colon < 1) return undefined;
  const port = parsePort(text.slice(colon + 1), options.allowPortZero);
  if (port === undefined) return undefined;
  const bracketed = text.charCodeAt(0) === 0x5b;
  if (bracketed && text[colon - 1] !== "]") return undefined;
  const host = bracketed ? text.slice(1, colon - 1) : text.slice(0, colon);
  // IPv6 stands in brackets, IPv4 does not.
  if (host.includes(":") !== bracketed) return undefined;
  const ip = canonicalIp(host);
  return ip === undefined ? undefined : { kind: "tcp", ip, port };
}

/** The text that `parseEndpoint` reads. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return `unix:${endpoint.path}`;
  return endpoint.ip.includes(":") ? `[${endpoint.ip}]:${endpoint.port}` : `${endpoint.ip}:${endpoint.port}`;
}

/** Whether both name the same endpoint; both hold canonical addresses. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  if (a.kind === "unix") return b.kind === "unix" && a.path === b.path;
  return b.kind === "tcp" && a.port === b.port && a.ip === b.ip;
}

/** Splits `address/prefix`; a bare address is a host. Host bits are not looked at. */
function readCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const host = slash < 0 ? text : text.slice(0, slash);
  const base = parseIp(host);
  if (base === undefined) return undefined;
  const full = base.bytes.length * 8;
  if (slash < 0) return { base, prefix: full };
  const digits = text.slice(slash + 1);
  // The prefix of an IPv4-mapped network counts from the start of the 128 bits.
  const mapped = base.family === 4 && host.includes(":") ? 96 : 0;
  const prefix = digits === "0" ? 0 : parsePort(digits);
  if (prefix === undefined || prefix < mapped || prefix > full + mapped) return undefined;
  return { base, prefix: prefix - mapped };
}

/** `bytes` with everything behind the first `prefix` bits zero. */
function maskBytes(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, prefix - i * 8))));
}

/** Whether an address lies in a network of its family. */
export function inNetwork(bytes: Uint8Array, { base, prefix }: Cidr): boolean {
  if (bytes.length !== base.bytes.length) return false;
  const whole = prefix >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== base.bytes[i]) return false;
  const mask = (0xff00 >> (prefix & 7)) & 0xff;
  return mask === 0 || ((bytes[whole] as number) & mask) === base.bytes[whole];
}

/** Parses `10.0.0.0/8` or a bare address; `undefined` also where bits behind the prefix are set: see `cidrNetwork`. */
export function parseCidr(text: string): Cidr | undefined {
  const cidr = readCidr(text);
  if (cidr === undefined) return undefined;
  const { bytes } = cidr.base;
  return maskBytes(bytes, cidr.prefix).every((byte, i) => byte === bytes[i]) ? cidr : undefined;
}

/** The network that an `address/prefix` lies in, for a message: `10.0.0.0/8` for `10.1.2.3/8`. */
export function cidrNetwork(text: string): string | undefined {
  const cidr = readCidr(text);
  return cidr && `${formatIp(maskBytes(cidr.base.bytes, cidr.prefix))}/${cidr.prefix}`;
}

/** What an address is for; only `global` may be reached through a resolved name. `invalid` is text that is no address. */
export type IpClass =
  | "global"
  | "loopback"
  | "private"
  | "link_local"
  | "unique_local"
  | "cgnat"
  | "unspecified"
  | "multicast"
  | "broadcast"
  | "documentation"
  | "benchmark"
  | "reserved"
  | "invalid";

/** First match counts. IANA "Special-Purpose Address Registry", IPv4 and IPv6, and RFC 4291 §2.4. */
const SPECIAL: readonly (readonly [string, IpClass])[] = [
  ["0.0.0.0/32", "unspecified"],
  ["0.0.0.0/8", "reserved"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "cgnat"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link_local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "documentation"],
  ["192.88.99.0/24", "reserved"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "benchmark"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["255.255.255.255/32", "broadcast"],
  ["240.0.0.0/4", "reserved"],
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["64:ff9b:1::/48", "private"],
  ["2001:db8::/32", "documentation"],
  ["2001:2::/48", "benchmark"],
  // Teredo, ORCHID and other protocol assignments: nothing that a web service is reached by.
  ["2001::/23", "reserved"],
  ["3fff::/20", "documentation"],
  ["fc00::/7", "unique_local"],
  ["fe80::/10", "link_local"],
  ["fec0::/10", "private"],
  ["ff00::/8", "multicast"],
  ["2000::/3", "global"],
  ["::/0", "reserved"],
];

/** IPv6 networks that hold an IPv4 address, and at which byte: NAT64 (RFC 6052) and 6to4 (RFC 3056). */
const EMBEDDING: readonly (readonly [string, number])[] = [
  ["64:ff9b::/96", 12],
  ["2002::/16", 2],
];

const special = SPECIAL.map(([text, kind]) => ({ network: readCidr(text) as Cidr, kind }));
const embedding = EMBEDDING.map(([text, offset]) => ({ network: readCidr(text) as Cidr, offset }));

/**
 * What an address is for. An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4) is what that one is.
 * Stricter than the registry in one point: protocol assignments (192.0.0.0/24, 2001::/23) are never `global`.
 */
export function classifyIp(ip: string | IpAddress): IpClass {
  const address = typeof ip === "string" ? parseIp(ip) : ip;
  if (address === undefined) return "invalid";
  const { bytes } = address;
  if (bytes.length === 16 && isMapped(bytes)) return classifyBytes(bytes.subarray(12));
  const embedded = embedding.find(({ network }) => inNetwork(bytes, network));
  return classifyBytes(embedded ? bytes.subarray(embedded.offset, embedded.offset + 4) : bytes);
}

/** The IPv4 address that an IPv6 one carries (NAT64, 6to4), canonical; undefined where it carries none. */
export function embeddedIpv4({ bytes }: IpAddress): string | undefined {
  const found = embedding.find(({ network }) => inNetwork(bytes, network));
  return found && formatIp(bytes.subarray(found.offset, found.offset + 4));
}

function classifyBytes(bytes: Uint8Array): IpClass {
  return special.find(({ network }) => inNetwork(bytes, network))?.kind ?? "global";
}
