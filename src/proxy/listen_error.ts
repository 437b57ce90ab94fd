/**
 * Why a listener could not be opened, in words that say what to do about it.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { IoError } from "../errors.ts";

/** A listener could not be opened. */
export class ListenError extends Error {
  readonly endpoint: Endpoint;
  readonly code: string;

  constructor(endpoint: Endpoint, cause: IoError) {
    super(`Cannot listen on ${formatEndpoint(endpoint)}: ${listenFailure(endpoint, cause)}`);
    this.name = "ListenError";
    this.endpoint = endpoint;
    this.code = cause.code;
  }
}

function listenFailure(endpoint: Endpoint, { code, message }: IoError): string {
  switch (code) {
    case "EADDRINUSE":
      if (endpoint.kind === "unix") {
        return "another program listens there, or the file is no socket; stop it, remove the file or choose another path";
      }
      return "another program (or another certless) listens there already; stop it or choose another address";
    case "EACCES":
    case "EPERM":
      return endpoint.kind === "tcp" && endpoint.port < 1024
        ? "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE (setcap, or AmbientCapabilities= in the systemd unit); the option user gives up both once it has started"
        : endpoint.kind === "unix"
          ? "permission denied, or its directory does not exist"
          : "permission denied";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "ENOENT":
      return "the directory does not exist";
    default:
      return message || code;
  }
}
