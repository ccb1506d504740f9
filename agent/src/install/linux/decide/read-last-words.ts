import { maskText } from '@ai-fabric/shared';

const MAX_LENGTH = 300;
/** Of pino: an error, or worse. */
const ERROR_LEVEL = 50;
const SYSTEMD = '1';
const COMPLAINT = /^(?:error:|FATAL ERROR:|\w*(?:Error|Exception)\b)/;
/** A log is not to steer a terminal. */
const CONTROLS = /\p{Cc}+/gu;

interface Said {
  readonly pid: string;
  readonly text: string;
}

/**
 * What the last process of a service said of its end: its last complaint, else that of one before, else its last line. One
 * line, of a bounded length.
 *
 * @param journal the entries as `journalctl -o json` prints them, the oldest first
 * @returns `null` where it said nothing
 */
export function readLastWords(journal: string): string | null {
  const said = journal.split('\n').flatMap(readEntry);
  const pid = said.at(-1)?.pid;
  const lines = said.map((each) => ({ ...readLine(each.text), isLast: each.pid === pid }));
  const complaints = lines.filter(({ isComplaint }) => isComplaint);
  // One that was started just now may have said nothing of its end yet.
  const last = complaints.findLast(({ isLast }) => isLast) ?? complaints.at(-1) ?? lines.at(-1);
  if (last === undefined) return null;
  // Masked ahead of the cut: half a secret has not the form of one any more.
  const text = maskText(last.text, []).replace(CONTROLS, ' ').trim();
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text;
}

/** What systemd itself says of the service is told by its properties. */
function readEntry(line: string): readonly Said[] {
  const { _PID: pid, MESSAGE: text } = parseObject(line);
  if (typeof pid !== 'string' || pid === SYSTEMD) return [];
  return typeof text === 'string' && text.trim() !== '' ? [{ pid, text }] : [];
}

function readLine(line: string): { readonly text: string; readonly isComplaint: boolean } {
  const { level, msg, err } = parseObject(line);
  if (typeof msg !== 'string') return { text: line, isComplaint: COMPLAINT.test(line) };
  const { message: cause } = asObject(err);
  const text = typeof cause === 'string' && cause !== msg ? `${msg}: ${cause}` : msg;
  return { text, isComplaint: typeof level === 'number' && level >= ERROR_LEVEL };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  if (!text.startsWith('{')) return {};
  try {
    return asObject(JSON.parse(text));
  } catch {
    return {};
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
