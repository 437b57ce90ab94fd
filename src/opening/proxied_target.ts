/** Where a proxy is asked to connect, and as whom. Types only. */

export interface ProxiedTarget {
  /** A canonical IP address, or a canonical host name, which the proxy resolves. */
  readonly host: string;
  readonly isIp: boolean;
  readonly port: number;
}

export interface ProxyCredentials {
  readonly username: string;
  /** May be empty. */
  readonly password: string;
}
