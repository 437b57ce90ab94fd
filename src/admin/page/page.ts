/**
 * The page at the admin address: its files, and the headers that they must be sent with.
 *
 * Owns: which paths there are. The files are made from page/ by `npm run page`. They have no secret: who has no token
 * may read them, and then learns nothing from the interface they ask.
 */

import assets from "./assets.json" with { type: "json" };

export interface PageFile {
  /** Content-Type. */
  readonly type: string;
  readonly body: string;
}

const FILES: ReadonlyMap<string, PageFile> = new Map([
  ["/", { type: "text/html; charset=utf-8", body: assets.html }],
  ["/page.js", { type: "text/javascript; charset=utf-8", body: assets.script }],
  ["/page.css", { type: "text/css; charset=utf-8", body: assets.style }],
  ["/icon.svg", { type: "image/svg+xml", body: assets.icon }],
]);

/** The file at a path without its query; undefined: there is none. */
export function pageFile(path: string): PageFile | undefined {
  return FILES.get(path);
}

/**
 * Nothing but the page's own files and interface is loaded, asked or framed, and no text can become code (CSP Level 3,
 * Trusted Types).
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};
