/**
 * What one line of the install log says to a person, or null for the package manager's own bookkeeping.
 *
 * @param {string} line
 * @returns {string | null}
 */
export function readableLogLine(line) {
  const text = line.trim();
  if (text === '') return null;
  if (!text.startsWith('{')) return text;
  try {
    const event = JSON.parse(text);
    if (event.name === 'pnpm:lifecycle') return event.line ?? null;
    if (event.name === 'pnpm:request-retry') return event.error?.message ?? null;
    if (event.level !== 'error' && event.level !== 'warn' && event.name !== 'pnpm') return null;
    return event.err?.message ?? event.message ?? null;
  } catch {
    return text;
  }
}
