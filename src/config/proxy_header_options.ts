/**
 * `proxyProtocol` of an upstream: the PROXY header that its servers get.
 *
 * Owns: its names, defaults and descriptions, short (`v2`) and long.
 */

import * as z from "zod";
import type { ProxyHeaderConfig } from "./config.ts";
import { bool, choice, map } from "./option_kinds.ts";

const PLAIN = { authority: false, alpn: false, uniqueId: false, checksum: false };
const numberOf = (version: "v1" | "v2"): 1 | 2 => (version === "v1" ? 1 : 2);

export function buildProxyHeader() {
  const version = () => choice(["v1", "v2"]);
  const short = version().transform((word): ProxyHeaderConfig => ({ version: numberOf(word), ...PLAIN }));
  const long = map({
    version: version().default("v2").meta({ description: "All that follows is only in `v2`." }),
    authority: bool().default(false).meta({ description: "Say the server name (PP2_TYPE_AUTHORITY)." }),
    alpn: bool().default(false).meta({
      description:
        "Say the client's protocol (PP2_TYPE_ALPN) where it offers exactly one; what is chosen among several is encrypted.",
    }),
    uniqueId: bool().default(false).meta({
      description: "Say `$unique_id` (PP2_TYPE_UNIQUE_ID), so that the server's log and this one can be joined.",
    }),
    checksum: bool().default(false).meta({ description: "Add a checksum of the header (PP2_TYPE_CRC32C)." }),
  })
    .refine(
      (header) => header.version === "v2" || !(header.authority || header.alpn || header.uniqueId || header.checksum),
      {
        error: "version v1 has room for addresses only; write version: v2",
      },
    )
    .transform((header): ProxyHeaderConfig => ({ ...header, version: numberOf(header.version) }));
  return z.union([short, long], { error: "it must be v1, v2 or a map with version, authority, alpn, uniqueId" });
}
