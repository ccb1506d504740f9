import { readFileSync } from 'node:fs';

const DOCS = new URL('../../../docs/install-windows.md', import.meta.url);
const TRANSCRIPT = /\n## A transcript\n[\s\S]*?\n```\n([\s\S]*?)```\n/;
const BETWEEN = 'Installed. What serving stands on:\n';
const CHECK = /^ {2}[✓✗·–] (.{18})/gmu;

/** What an install prints, as far as it is the same on every machine and at every pace. */
export interface InstallTranscript {
  /** What was done, and what whoever installs should know. */
  readonly steps: string;
  /** Names of the checks, in order of the alphabet: they come as they are known. */
  readonly checks: readonly string[];
}

/** What docs/install-windows.md shows of an install. @throws Error where it shows none */
export function readTranscript(): InstallTranscript {
  const shown = TRANSCRIPT.exec(readFileSync(DOCS, 'utf8'))?.[1];
  if (shown === undefined) throw new Error('docs/install-windows.md has no transcript');
  return takeApart(shown);
}

/** @param output of a run, which gets the words of the docs for what differs from one machine to the next */
export function takeApart(output: string): InstallTranscript {
  const text = output
    .replaceAll('\r\n', '\n')
    .replace(/https:\/\/127\.0\.0\.1:\d+/g, 'https://motoko:8443')
    .replace(/(versions\\0\.1\.0-)[0-9a-f]{12}/g, '$1ccc8201248d7')
    // It is there already where an install before was refused by the control plane.
    .replace('✓ Keep the key', '✓ Store the key');
  const [steps = '', checklist = ''] = text.split(BETWEEN);
  return { steps, checks: [...checklist.matchAll(CHECK)].map(([, name = '']) => name.trim()).sort() };
}
