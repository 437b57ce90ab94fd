/**
 * Durations and sizes as a person writes them.
 *
 * Owns: the two grammars, also as patterns for editors. It must not know which option they are for.
 */

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const DURATION_PATTERN = "^[0-9]{1,9}(ms|s|m|h|d)$";

/** Timers count in 31 bits of milliseconds: 24 days fit. */
export const MAX_DURATION = 24 * MILLISECONDS.d;

/** `500ms`, `10s`, `5m`, `1h`, `1d`: milliseconds. Neither fractions nor sums. */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS];
}

const BYTES = { B: 1, kB: 1000, KB: 1000, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

export const SIZE_PATTERN = "^[0-9]{1,9}(B|kB|KB|MB|GB|KiB|MiB|GiB)?$";

/** `64KiB`, `10MB`, `4096`: bytes. `KiB`, `MiB`, `GiB` are powers of 1024, `KB` (`kB`), `MB`, `GB` of 1000. */
export function parseSize(text: string): number | undefined {
  const match = /^([0-9]{1,9})(B|kB|KB|MB|GB|KiB|MiB|GiB)?$/.exec(text);
  return match === null ? undefined : Number(match[1]) * BYTES[(match[2] ?? "B") as keyof typeof BYTES];
}

/** The shortest exact text of a size, for messages. */
export function formatSize(bytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"] as const) {
    if (bytes >= BYTES[unit] && bytes % BYTES[unit] === 0) return `${bytes / BYTES[unit]}${unit}`;
  }
  return `${bytes} bytes`;
}

/** The shortest exact text of a duration, for messages. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (milliseconds >= MILLISECONDS[unit] && milliseconds % MILLISECONDS[unit] === 0) {
      return `${milliseconds / MILLISECONDS[unit]}${unit}`;
    }
  }
  return `${milliseconds}ms`;
}
