/** What a request head can get wrong: the codes. To the client it is 400 in every case. */

export type HttpErrorCode =
  | "not_http"
  | "connect_refused"
  | "bad_target"
  | "bad_version"
  | "bad_line_end"
  | "bad_field"
  | "folded_field"
  | "duplicate_host"
  | "missing_host"
  | "bad_host"
  | "host_mismatch"
  | "bad_content_length"
  | "bad_transfer_encoding"
  | "ambiguous_length"
  | "head_too_large"
  | "too_many_fields";

/** A fault before its offset is known. */
export type HttpFault = readonly [code: HttpErrorCode, detail: string];
