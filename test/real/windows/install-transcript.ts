import { readFileSync } from 'node:fs';

const DOCS = new URL('../../../docs/install-windows.md', import.meta.url);
const TRANSCRIPT = /\n## A transcript\n[\s\S]*?\n```\n([\s\S]*?)```\n/;

/** What docs/install-windows.md shows of an install. @throws Error where it shows none */
export function readTranscript(): string {
  const shown = TRANSCRIPT.exec(readFileSync(DOCS, 'utf8'))?.[1];
  if (shown === undefined) throw new Error('docs/install-windows.md has no transcript');
  return shown;
}

/** What a run prints, with the words of the docs for what differs from one machine to the next. */
export function generalise(output: string): string {
  return output
    .replaceAll('\r\n', '\n')
    .replace(/https:\/\/127\.0\.0\.1:\d+/g, 'https://motoko:8443')
    .replace(/(versions\\0\.1\.0-)[0-9a-f]{12}/g, '$1ccc8201248d7');
}
