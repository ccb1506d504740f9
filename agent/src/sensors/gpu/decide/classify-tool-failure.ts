import type { Issue } from '@ai-fabric/shared';
import { clipText, describeIssue } from '../../decide/describe-issue.js';
import { normaliseBusId } from './normalise-bus-id.js';

/** What a run of nvidia-smi left behind. */
export interface ToolEnd {
  /** `null` when it was ended by a signal or never started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The end of what it said that was not a row, stdout and stderr together. */
  readonly output: string;
  /** The operating system's code when it could not be started: ENOENT, EACCES, … */
  readonly startError: string | null;
}

export type ToolFailure =
  /** The driver does not know this field: ask again without it. */
  | { readonly kind: 'field_refused'; readonly field: string }
  /** One card makes the whole command fail. `busId` as `normaliseBusId` spells it. */
  | { readonly kind: 'card_lost'; readonly busId: string | null }
  | { readonly kind: 'problem'; readonly issue: Issue };

const REFUSED_FIELD = /Field "([^"]{1,100})" is not a valid field to query/;
const LOST_CARD = /Unable to determine the device handle for GPU|GPU is lost|GPU requires reset/i;

/** For what the tool says that nobody foresaw. */
export const RUN_BY_HAND = 'Run nvidia-smi by hand on the host; if its output looks right, report it.';

interface Rule {
  readonly exitCode: number | null;
  readonly text: RegExp;
  readonly issue: (said: string) => Issue;
}

/** First match wins. Exit codes are NVML's return values (nvml.h); what is printed is clearer where both are there. */
const RULES: readonly Rule[] = [
  {
    exitCode: 18,
    text: /version mismatch/i,
    issue: (said) =>
      describeIssue(
        'driver_mismatch',
        'error',
        'host',
        `The NVIDIA driver in memory and its library on disk differ: the driver was updated and is not loaded yet. ${said}`,
        'Reboot the host (or unload and reload the nvidia kernel modules).',
      ),
  },
  {
    exitCode: 6,
    text: /No devices were found/i,
    issue: () => noGpu('The NVIDIA driver is installed and finds no card.'),
  },
  {
    exitCode: 9,
    text: /couldn't communicate with the NVIDIA driver|driver not loaded/i,
    issue: (said) =>
      describeIssue(
        'driver_not_loaded',
        'error',
        'host',
        `The NVIDIA driver is not loaded. ${said}`,
        'Load it (Linux: "modprobe nvidia") or reinstall it; after a kernel update its module may have to be rebuilt, and with Secure Boot signed.',
      ),
  },
  {
    exitCode: 12,
    text: /couldn't find lib|library not found|libnvidia-ml/i,
    issue: (said) =>
      toolFailed(
        `nvidia-smi does not find its library (NVML). ${said}`,
        'Reinstall the NVIDIA driver: the tool and its library come with it.',
      ),
  },
  {
    exitCode: 4,
    text: /insufficient permissions/i,
    issue: (said) =>
      toolFailed(
        `nvidia-smi may not reach the card. ${said}`,
        "Give the agent's user access to /dev/nvidia* (group video or render).",
      ),
  },
];

/** What a failed run means, and what to do about it. Never throws, whatever the tool printed. */
export function classifyToolFailure(end: ToolEnd): ToolFailure {
  if (end.startError !== null) return { kind: 'problem', issue: notStarted(end.startError) };
  const refused = REFUSED_FIELD.exec(end.output)?.[1];
  if (refused !== undefined) return { kind: 'field_refused', field: refused };
  if (LOST_CARD.test(end.output) || end.exitCode === 15 || end.exitCode === 16) {
    return { kind: 'card_lost', busId: normaliseBusId(end.output) };
  }
  const said = end.output.trim() === '' ? '' : `It said: ${clipText(end.output, 200)}`;
  const rule =
    RULES.find((candidate) => candidate.text.test(end.output)) ??
    RULES.find((candidate) => candidate.exitCode !== null && candidate.exitCode === end.exitCode);
  if (rule) return { kind: 'problem', issue: rule.issue(said) };
  return { kind: 'problem', issue: toolFailed(`nvidia-smi ended ${howItEnded(end)}. ${said}`, RUN_BY_HAND) };
}

/** No card, no driver: a host like any other, said calmly. */
export function noGpu(detail: string): Issue {
  return describeIssue('no_gpu', 'info', 'host', detail);
}

/** The tool does not answer and, when `killed` is false, does not die either. */
export function driverHung(detail: string): Issue {
  return describeIssue(
    'driver_hung',
    'error',
    'host',
    detail,
    'Reboot the host if it stays: a hung NVIDIA driver does not recover by itself. The kernel log names the cause (Xid).',
  );
}

export function toolFailed(detail: string, fix: string | null): Issue {
  return describeIssue('gpu_tool_failed', 'error', 'host', detail, fix);
}

/** @param card the card's UUID, or its PCI address where the UUID was never learnt */
export function gpuLost(card: string, detail: string): Issue {
  return describeIssue(
    'gpu_lost',
    'error',
    card,
    detail,
    'Reboot the host to bring it back; if it is lost again, check its power and seating, and the kernel log for Xid messages.',
  );
}

function howItEnded(end: ToolEnd): string {
  if (end.signal !== null) return `by signal ${end.signal}`;
  return end.exitCode === null ? 'for an unknown reason' : `with exit code ${end.exitCode}`;
}

function notStarted(code: string): Issue {
  if (code === 'ENOENT') return noGpu('nvidia-smi is no longer where it was: was the driver removed?');
  if (code === 'EINVAL') {
    return toolFailed(
      'nvidia-smi could not be started (EINVAL): Windows starts programs alone, and no script (.cmd, .bat).',
      "Set the agent's nvidia-smi to nvidia-smi.exe itself, or take the setting away to have the usual places searched.",
    );
  }
  const fix =
    code === 'EACCES' || code === 'EPERM' ? 'Let the agent run nvidia-smi (file mode, policy).' : null;
  return toolFailed(`nvidia-smi could not be started: ${code}.`, fix);
}
