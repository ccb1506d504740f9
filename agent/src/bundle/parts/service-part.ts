import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig } from '../../config/agent-config.js';
import type { CaptureRun } from '../../identity/run-tool.js';
import { ACCOUNT, SERVICE } from '../../install/linux/decide/linux-paths.js';
import {
  serviceKey,
  SERVICE as WINDOWS_SERVICE,
  type WindowsPaths,
  windowsPaths,
} from '../../install/windows/decide/windows-paths.js';
import { secretsOfTree } from '../decide/find-secrets.js';
import { oldestFirst } from '../decide/oldest-first.js';
import type { Findings } from '../findings.js';
import type { BundlePart } from '../gather-bundle.js';
import { readEnd } from '../read-bounded.js';
import { fileNameOf, takeOutput } from './part-tools.js';

const DEADLINE_MS = 30_000;
const MAX_SETTINGS_BYTES = 256 * 1024;
const MAX_LOG_BYTES = 4 * 1024 * 1024;
const MAX_JOURNAL_LINES = 20_000;
/** The newest ones. */
const MAX_LOG_FILES = 3;
const MAX_EVENTS = 200;
const VARIABLE = /([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|[^\s\\]+)/g;

/** How the system runs the agent, and what it logged there. */
export function servicePart({ platform, folders }: AgentConfig, capture: CaptureRun): BundlePart {
  return {
    title: 'service and its log',
    deadlineMs: DEADLINE_MS,
    gather: (findings, signal) =>
      platform === 'win32'
        ? gatherWindows(findings, capture, windowsPaths(folders), signal)
        : gatherSystemd(findings, capture, signal),
  };
}

async function gatherSystemd(findings: Findings, capture: CaptureRun, signal: AbortSignal): Promise<void> {
  const settings = { maxBytes: MAX_SETTINGS_BYTES, signal };
  const helper = `${ACCOUNT}-helper@`;
  const units = await takeOutput(findings, capture, {
    ...{ name: 'service/units.txt', file: 'systemctl', ...settings },
    args: ['cat', '--no-pager', SERVICE, `${helper}.service`],
  });
  const shown = await takeOutput(findings, capture, {
    ...{ name: 'service/state.txt', file: 'systemctl', ...settings },
    args: ['show', '--no-pager', SERVICE],
  });
  learn(findings, `${units ?? ''}\n${shown ?? ''}`);
  // The newest first: where it is too long, the oldest are left out.
  await takeOutput(findings, capture, {
    ...{ name: 'logs/journal.txt', file: 'journalctl', maxBytes: MAX_LOG_BYTES, signal, keeps: 'last' },
    args: [
      ...['--no-pager', '--quiet', '--reverse', '--output=short-iso', `--lines=${MAX_JOURNAL_LINES}`],
      ...[`--unit=${SERVICE}`, `--unit=${helper}*`],
    ],
    shape: oldestFirst,
  });
}

async function gatherWindows(
  findings: Findings,
  capture: CaptureRun,
  paths: WindowsPaths,
  signal: AbortSignal,
): Promise<void> {
  const settings = { maxBytes: MAX_SETTINGS_BYTES, signal };
  const registry = await takeOutput(findings, capture, {
    ...{ name: 'service/registry.txt', file: paths.tool('reg'), ...settings },
    args: ['query', serviceKey(WINDOWS_SERVICE), '/s'],
  });
  learn(findings, registry ?? '');
  await takeOutput(findings, capture, {
    ...{ name: 'service/state.txt', file: paths.tool('sc'), ...settings },
    args: ['queryex', WINDOWS_SERVICE],
  });
  await takeOutput(findings, capture, {
    ...{ name: 'logs/events.txt', file: paths.tool('wevtutil'), maxBytes: MAX_SETTINGS_BYTES, signal },
    args: [
      ...['qe', 'Application', "/q:*[System[Provider[@Name='nssm']]]"],
      ...[`/c:${MAX_EVENTS}`, '/rd:true', '/f:text'],
    ],
  });
  const names = (await readdir(paths.logFolder).catch(() => [])).filter((name) =>
    /^agent.*\.log$/.test(name),
  );
  if (names.length === 0) findings.lack('logs/agent.log', `${paths.logFolder} has no log`);
  // The one that is written, then those that were put aside, whose names tell when.
  const newest = names.sort(
    (one, other) => Number(other === 'agent.log') - Number(one === 'agent.log') || (one < other ? 1 : -1),
  );
  for (const name of newest.slice(0, MAX_LOG_FILES)) {
    const path = join(paths.logFolder, name);
    await readEnd(path, MAX_LOG_BYTES).then(
      ({ text, isCut }) =>
        findings.file({ name: `logs/${fileNameOf(name)}`, text, source: path, keeps: 'last', isCut }),
      (error: unknown) => findings.lack(`logs/${fileNameOf(name)}`, error),
    );
  }
}

/** `NAME=value` in the settings of a service. */
function learn(findings: Findings, text: string): void {
  const variables = [...text.matchAll(VARIABLE)].map(([, name, value = '']) => `${name}=${unquoted(value)}`);
  // `Environment="NAME=value with blanks"`
  const whole = [...text.matchAll(/"([A-Za-z_]\w*=[^"\n]*)"/g)].map(([, variable = '']) => variable);
  findings.secret(...secretsOfTree([...variables, ...whole], 'the service'));
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1) : value;
}
