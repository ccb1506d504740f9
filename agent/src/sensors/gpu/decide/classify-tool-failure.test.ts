import { issueSchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classifyToolFailure,
  driverHung,
  gpuLost,
  noGpu,
  type ToolEnd,
  toolFailed,
} from './classify-tool-failure.js';

const end = (over: Partial<ToolEnd>): ToolEnd => ({
  exitCode: 0,
  signal: null,
  output: '',
  startError: null,
  ...over,
});

const PROBLEMS: readonly [string, Partial<ToolEnd>, string, string][] = [
  [
    'a driver updated under a running kernel',
    {
      exitCode: 18,
      output: 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.95',
    },
    'driver_mismatch',
    'error',
  ],
  ['the same by its exit code alone', { exitCode: 18 }, 'driver_mismatch', 'error'],
  [
    'the same by its text alone',
    { exitCode: 1, output: 'Failed to initialize NVML: Driver/library version mismatch' },
    'driver_mismatch',
    'error',
  ],
  [
    'a driver that is not loaded',
    {
      exitCode: 9,
      output:
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
    },
    'driver_not_loaded',
    'error',
  ],
  ['the same by its exit code alone', { exitCode: 9 }, 'driver_not_loaded', 'error'],
  ['a driver without a card', { exitCode: 6, output: 'No devices were found' }, 'no_gpu', 'info'],
  ['the same by its exit code alone', { exitCode: 6 }, 'no_gpu', 'info'],
  ['a tool that was removed', { exitCode: null, startError: 'ENOENT' }, 'no_gpu', 'info'],
  ['a tool that may not be run', { exitCode: null, startError: 'EACCES' }, 'gpu_tool_failed', 'error'],
  [
    'a script instead of a program, on Windows',
    { exitCode: null, startError: 'EINVAL' },
    'gpu_tool_failed',
    'error',
  ],
  ['a machine out of processes', { exitCode: null, startError: 'EAGAIN' }, 'gpu_tool_failed', 'error'],
  [
    'a missing library',
    { exitCode: 12, output: "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system." },
    'gpu_tool_failed',
    'error',
  ],
  [
    'no permission',
    { exitCode: 4, output: 'Failed to initialize NVML: Insufficient Permissions' },
    'gpu_tool_failed',
    'error',
  ],
  [
    'an unknown error',
    { exitCode: 255, output: 'Failed to initialize NVML: Unknown Error' },
    'gpu_tool_failed',
    'error',
  ],
  ['a crash', { exitCode: null, signal: 'SIGSEGV' }, 'gpu_tool_failed', 'error'],
  ['an end that looks like success', { exitCode: 0 }, 'gpu_tool_failed', 'error'],
];

describe('what a failed run of nvidia-smi means', () => {
  it.each(PROBLEMS)('%s is named', (_, over, code, severity) => {
    const failure = classifyToolFailure(end(over));
    expect(failure).toMatchObject({ kind: 'problem', issue: { code, severity, subject: 'host' } });
  });

  it('tells the fix of a driver mismatch: a reboot', () => {
    const failure = classifyToolFailure(end({ exitCode: 18 }));
    expect(failure.kind === 'problem' && failure.issue.fix).toMatch(/^Reboot the host/);
  });

  it('quotes what the tool said and how it ended', () => {
    const failure = classifyToolFailure(end({ exitCode: 77, output: 'something new' }));
    expect(failure.kind === 'problem' && failure.issue.detail).toMatch(/exit code 77.*something new/);
  });

  it('names the field that the driver does not know', () => {
    const output = 'Field "clocks_event_reasons.active" is not a valid field to query.\n\n';
    expect(classifyToolFailure(end({ exitCode: 2, output }))).toEqual({
      kind: 'field_refused',
      field: 'clocks_event_reasons.active',
    });
  });

  it.each([
    [
      'Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.  Reboot the system to recover this GPU',
      '0000:0b:00.0',
    ],
    ['Unable to determine the device handle for GPU0000:20:00.0: Unknown Error', '0000:20:00.0'],
    ['Unable to determine the device handle for gpu 00000000:08:00.0: Unknown Error', '0000:08:00.0'],
    ['GPU is lost', null],
  ])('names the card in %j', (output, busId) => {
    expect(classifyToolFailure(end({ exitCode: 255, output }))).toEqual({ kind: 'card_lost', busId });
  });

  it.each([15, 16])('takes exit code %d for a lost card that nobody names', (exitCode) => {
    expect(classifyToolFailure(end({ exitCode }))).toEqual({ kind: 'card_lost', busId: null });
  });

  it('fits the wire and never throws, whatever the tool prints', () => {
    fc.assert(
      fc.property(
        fc.record({
          exitCode: fc.option(fc.integer()),
          signal: fc.option(fc.string()),
          output: fc.string({ unit: 'binary', maxLength: 3000 }),
          startError: fc.option(fc.string()),
        }),
        (toolEnd) => {
          const failure = classifyToolFailure(toolEnd);
          if (failure.kind === 'problem') expect(issueSchema.safeParse(failure.issue).success).toBe(true);
        },
      ),
    );
  });

  it('makes issues that fit the wire out of texts of any length', () => {
    const long = 'x'.repeat(10_000);
    for (const issue of [noGpu(long), driverHung(long), toolFailed(long, long), gpuLost(long, long)]) {
      expect(issueSchema.safeParse(issue).success).toBe(true);
    }
  });
});

it('says of a script that Windows does not start what to set instead', () => {
  const failure = classifyToolFailure({ exitCode: null, signal: null, output: '', startError: 'EINVAL' });
  expect(failure).toMatchObject({
    kind: 'problem',
    issue: {
      detail: expect.stringMatching(/no script \(\.cmd, \.bat\)/),
      fix: expect.stringContaining('nvidia-smi.exe'),
    },
  });
});
