/**
 * The PROXY header that an upstream's servers get, made from the connection's record.
 *
 * Owns: which TLVs are sent and with what in them. Their form is the wire's (`proxy_protocol/`).
 */

import type { ProxyHeaderConfig } from "../config/config.ts";
import { type ConnectionRecord, uniqueId } from "../connection_record.ts";
import { writeProxyHeader } from "../proxy_protocol/write_proxy_header.ts";
import {
  CHECKSUM,
  PP2_TYPE_ALPN,
  PP2_TYPE_AUTHORITY,
  PP2_TYPE_UNIQUE_ID,
  type Tlv,
  textTlv,
} from "../proxy_protocol/write_tlvs.ts";

export function proxyHeaderOf(config: ProxyHeaderConfig, record: ConnectionRecord): Uint8Array {
  const { version, authority, alpn, uniqueId: withId, checksum } = config;
  if (!(authority || alpn || withId || checksum)) return writeProxyHeader(version, record.client, record.server);
  const tlvs: Tlv[] = [];
  if (alpn && record.alpn.length === 1) tlvs.push(textTlv(PP2_TYPE_ALPN, record.alpn[0]!));
  if (authority && record.serverName !== undefined) tlvs.push(textTlv(PP2_TYPE_AUTHORITY, record.serverName));
  if (withId) {
    record.uniqueId = uniqueId(record);
    tlvs.push(textTlv(PP2_TYPE_UNIQUE_ID, record.uniqueId));
  }
  if (checksum) tlvs.push(CHECKSUM);
  return writeProxyHeader(version, record.client, record.server, tlvs);
}
