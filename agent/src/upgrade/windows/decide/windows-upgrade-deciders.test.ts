import { describe, expect, it } from 'vitest';
import { windowsPaths } from '../../../install/windows/decide/windows-paths.js';
import { countEnds, NOTHING_SEEN, type SeenRuns } from './count-ends.js';
import { armFinishingCalls, disarmFinishingCall, makeFinishingCalls } from './finishing-service.js';
import { parseAgentProcess, parseApplication } from './parse-wrapper.js';

const PROGRAM = 'C:\\Program Files\\AI Fabric Agent\\versions\\0.2.0-abababababab\\ai-fabric-agent.exe';
/** As what is UTF-16 looks to who reads UTF-8. */
const wide = (text: string): string => Buffer.from(`\uFEFF${text}`, 'utf16le').toString('utf8');

describe('the version that the wrapper starts', () => {
  it.each([
    [PROGRAM, '0.2.0-abababababab'],
    [`${PROGRAM.toUpperCase()}\r\n`, '0.2.0-ABABABABABAB'],
    [wide(`${PROGRAM}\r\n`), '0.2.0-abababababab'],
    [wide(PROGRAM.replace('Program Files', 'Größe 日本')), '0.2.0-abababababab'],
    [PROGRAM.replace('0.2.0', '0.2.0-rc.1+5'), '0.2.0-rc.1+5-abababababab'],
    ['C:\\other\\program.exe', null],
    ['C:\\versions\\a\\b\\ai-fabric-agent.exe', null],
    ['', null],
  ])('in %j is %s', (output, version) => {
    expect(parseApplication(output)).toBe(version);
  });
});

describe('the process that the wrapper started', () => {
  const tree = [
    '      32 C:\\Program Files\\AI Fabric Agent\\nssm.exe',
    `     440   ${PROGRAM}`,
    `     444     ${PROGRAM}`,
    '',
  ].join('\r\n');

  it.each([
    [tree, 440],
    [wide(tree), 440],
    [tree.split('\r\n')[0] ?? '', null],
    [tree.replaceAll('ai-fabric-agent.exe', 'ping.exe'), null],
    ['', null],
  ])('in %j is %s', (output, pid) => {
    expect(parseAgentProcess(output)).toBe(pid);
  });
});

describe('how often a program ended', () => {
  const looks = (...seen: readonly (readonly [pid: number | null, atMs: number])[]): number =>
    seen.reduce<SeenRuns>((runs, [pid, atMs]) => countEnds(runs, pid, atMs, 5_000), NOTHING_SEEN).ends;

  it.each<[string, readonly (readonly [number | null, number])[], number]>([
    [
      'one that runs',
      [
        [1, 0],
        [1, 500],
        [1, 60_000],
      ],
      0,
    ],
    [
      'one that is slow to come',
      [
        [null, 0],
        [null, 4_900],
        [1, 5_500],
      ],
      0,
    ],
    [
      'one that ended, and is away',
      [
        [1, 0],
        [null, 500],
        [null, 1_000],
      ],
      1,
    ],
    [
      'one that ended, and is back',
      [
        [1, 0],
        [null, 500],
        [2, 5_500],
        [2, 6_000],
      ],
      1,
    ],
    [
      'one that ended between two looks',
      [
        [1, 0],
        [2, 5_500],
        [3, 11_000],
      ],
      2,
    ],
    [
      'one that ends at once, each time',
      [
        [null, 0],
        [null, 4_999],
        [null, 5_000],
        [null, 5_500],
      ],
      1,
    ],
    [
      'the same, looked at seldom',
      [
        [null, 0],
        [null, 15_100],
      ],
      3,
    ],
    [
      'one that was seen once, and then ends at once',
      [
        [1, 0],
        [null, 500],
        [null, 6_000],
        [null, 11_000],
      ],
      3,
    ],
  ])('is counted of %s', (_what, seen, ends) => {
    expect(looks(...seen)).toBe(ends);
  });
});

describe('the service that finishes an upgrade', () => {
  const folders = { windows: 'C:\\W', programFiles: 'C:\\P', programData: 'C:\\D' };
  const paths = windowsPaths({ ...folders, localAppData: null });
  const folder = `${paths.versionsFolder}\\0.1.0-old`;

  it('is the version before, started by every boot, again after a crash, and no more after its end', () => {
    const [made] = makeFinishingCalls(paths, folder);
    expect(made?.[1]).toEqual([
      ...['install', 'ai-fabric-agent-upgrade', `${folder}\\ai-fabric-agent.exe`, 'finish-upgrade'],
    ]);
    const settings = armFinishingCalls(paths, folder, 'C:\\upgrade.log').map(([, args]) =>
      args.slice(2).join(' '),
    );
    expect(settings).toEqual(
      expect.arrayContaining([
        `Application ${folder}\\ai-fabric-agent.exe`,
        ...['AppExit Default Restart', 'AppExit 0 Exit', 'Start SERVICE_AUTO_START'],
      ]),
    );
    expect(settings.join('')).not.toContain('"');
    expect(disarmFinishingCall(paths)[1].slice(2)).toEqual(['Start', 'SERVICE_DEMAND_START']);
  });
});
