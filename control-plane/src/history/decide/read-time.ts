const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A moment as people and programs write it: `now`, an age like `2h` or `-2h` (ago), milliseconds since 1970, or
 * ISO 8601.
 *
 * @returns `null` when it is none of these
 */
export function readTime(text: string, nowMs: number): number | null {
  if (text === 'now') return nowMs;
  const ageMs = /^\d+$/.test(text) ? null : readDuration(text.replace(/^-/, ''));
  if (ageMs !== null) return nowMs - ageMs;
  const timeMs = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(timeMs) ? timeMs : null;
}

/** `30s`, `10m`, `2h`, `14d`, or plain seconds. @returns milliseconds, `null` when it is no positive length */
export function readDuration(text: string): number | null {
  const [, digits = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([smhd]?)$/.exec(text) ?? [];
  const ms = Number(digits) * (UNITS_MS[unit === '' ? 's' : unit] ?? Number.NaN);
  return ms > 0 ? ms : null;
}
