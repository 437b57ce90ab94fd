/**
 * Certificates for the demo and for tests: an authority made on the spot and a leaf for any names.
 *
 * Owns: the making of keys and X.509 certificates (RFC 5280). Nothing is written to disk; the keys
 * live as long as the process. The proxy itself must never import this: it holds no certificate.
 */

import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import {
  Boolean as AsnBoolean,
  Set as AsnSet,
  type AsnType,
  BitString,
  Constructed,
  fromBER,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Primitive,
  Sequence,
  UTCTime,
  Utf8String,
} from "asn1js";

/** What a TLS server presents: its certificate and the private key to it, both PEM. */
export interface Leaf {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority that exists only in this process. */
export interface Authority {
  /** The authority's own certificate, PEM: what a client has to trust. */
  readonly certificate: string;
  /**
   * A server certificate for DNS names (a leading `*.` is allowed) and IP addresses.
   * @throws {TypeError} when a name is empty or not ASCII.
   */
  leaf(name: string, ...others: readonly string[]): Leaf;
}

/** Names and keys of the certificate that signs. */
interface Issuer {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface CertificateRequest {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly days: number;
  readonly extensions: readonly AsnType[];
}

const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
} as const;

const HOUR_MS = 3_600_000;
/** RFC 5280 appendix A, `ub-common-name`. */
const LONGEST_COMMON_NAME = 64;
const CONTEXT_CLASS = 3;

/** Makes an authority with a fresh key; a client sees `commonName` as the issuer. */
export function createAuthority(commonName = "certless demo CA"): Authority {
  const issuer: Issuer = { commonName, ...newKeys() };
  const extensions = [
    extension(OID.basicConstraints, sequence(new AsnBoolean({ value: true }), new Integer({ value: 0 })), "critical"),
    // Bits 5 and 6: keyCertSign, cRLSign (RFC 5280 §4.2.1.3).
    extension(OID.keyUsage, bits([0x06], 1), "critical"),
    extension(OID.subjectKeyIdentifier, new OctetString({ valueHex: keyIdentifier(issuer.publicKey) })),
  ];
  const certificate = issue(issuer, { commonName, publicKey: issuer.publicKey, days: 30, extensions });
  return { certificate, leaf: (name, ...others) => createLeaf(issuer, [name, ...others]) };
}

/** Clients look for the name in the SAN alone (RFC 9525 §6.3); the subject is for people to read. */
function createLeaf(issuer: Issuer, names: readonly [string, ...string[]]): Leaf {
  const { publicKey, privateKey } = newKeys();
  const extensions = [
    extension(OID.basicConstraints, sequence(), "critical"),
    // Bit 0: digitalSignature.
    extension(OID.keyUsage, bits([0x80], 7), "critical"),
    extension(OID.extendedKeyUsage, sequence(new ObjectIdentifier({ value: OID.serverAuth }))),
    extension(OID.subjectAltName, sequence(...names.map(generalName))),
    extension(OID.subjectKeyIdentifier, new OctetString({ valueHex: keyIdentifier(publicKey) })),
    extension(OID.authorityKeyIdentifier, sequence(contextPrimitive(0, keyIdentifier(issuer.publicKey)))),
  ];
  const commonName = names[0].length <= LONGEST_COMMON_NAME ? names[0] : "certless demo";
  return {
    certificate: issue(issuer, { commonName, publicKey, days: 7, extensions }),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** ECDSA on P-256: every client takes it, and a key costs a fraction of a millisecond. */
function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** Builds and signs one certificate (RFC 5280 §4.1), as PEM. */
function issue(issuer: Issuer, request: CertificateRequest): string {
  const algorithm = sequence(new ObjectIdentifier({ value: OID.ecdsaWithSha256 }));
  // One hour back, for clients whose clock is a little behind.
  const notBefore = new Date(Date.now() - HOUR_MS);
  const notAfter = new Date(notBefore.getTime() + request.days * 24 * HOUR_MS);
  const certificate = sequence(
    contextConstructed(0, new Integer({ value: 2 })),
    new Integer({ valueHex: serialNumber() }),
    algorithm,
    distinguishedName(issuer.commonName),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(request.commonName),
    fromBER(spki(request.publicKey)).result,
    contextConstructed(3, sequence(...request.extensions)),
  );
  const signature = sign("sha256", new Uint8Array(certificate.toBER()), issuer.privateKey);
  return pem(new Uint8Array(sequence(certificate, algorithm, bits(signature, 0)).toBER()));
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function spki(key: KeyObject): Uint8Array {
  return key.export({ type: "spki", format: "der" });
}

/** RFC 7093 §2: the leftmost 160 bits of a SHA-256 over the key. */
function keyIdentifier(key: KeyObject): ArrayBuffer {
  return arrayBuffer(createHash("sha256").update(spki(key)).digest().subarray(0, 20));
}

/** Positive, and without a leading zero byte, so that its DER is the 16 bytes themselves (RFC 5280 §4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  return arrayBuffer(serial);
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after. */
function time(date: Date): AsnType {
  return date.getUTCFullYear() < 2050 ? new UTCTime({ valueDate: date }) : new GeneralizedTime({ valueDate: date });
}

function distinguishedName(commonName: string): AsnType {
  const attribute = sequence(new ObjectIdentifier({ value: OID.commonName }), new Utf8String({ value: commonName }));
  return sequence(new AsnSet({ value: [attribute] }));
}

/** RFC 5280 §4.2.1.6: dNSName is [2], iPAddress is [7] with the address's raw bytes. */
function generalName(name: string): AsnType {
  if (isIP(name) !== 0) return contextPrimitive(7, arrayBuffer(ipBytes(name)));
  if (!/^[\x21-\x7e]+$/.test(name))
    throw new TypeError(`Cannot write ${JSON.stringify(name)} into a certificate: not ASCII`);
  return contextPrimitive(2, arrayBuffer(Buffer.from(name, "ascii")));
}

function ipBytes(ip: string): Uint8Array {
  if (isIP(ip) === 4) return Uint8Array.from(ip.split("."), Number);
  const [head = "", tail] = ip.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...new Array<string>(missing).fill("0"), ...groups(tail ?? "")];
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

function extension(oid: string, value: AsnType, critical?: "critical"): AsnType {
  const flag = critical === undefined ? [] : [new AsnBoolean({ value: true })];
  return sequence(new ObjectIdentifier({ value: oid }), ...flag, new OctetString({ valueHex: value.toBER() }));
}

function sequence(...value: AsnType[]): Sequence {
  return new Sequence({ value });
}

function bits(bytes: ArrayLike<number>, unusedBits: number): BitString {
  return new BitString({ valueHex: arrayBuffer(bytes), unusedBits });
}

function contextPrimitive(tagNumber: number, valueHex: ArrayBuffer): AsnType {
  return new Primitive({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber }, valueHex });
}

function contextConstructed(tagNumber: number, value: AsnType): AsnType {
  return new Constructed({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber }, value: [value] });
}

/** A copy of exactly these bytes, which is what the ASN.1 library takes. */
function arrayBuffer(bytes: ArrayLike<number>): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
