import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readHelperLine } from './decide/read-helper-line.js';
import { readPowerShell, type ShellToken } from './testing/read-power-shell.js';
import { WINDOWS_HELPER_SCRIPT } from './windows-helper-script.js';

const VERBS = ['hold', 'release', 'suspend', 'hibernate'] as const;

/** No Windows runs here: what the script says is read instead, in words that are listed one by one. */
describe('the script of the helper', () => {
  const tokens = readPowerShell(WINDOWS_HELPER_SCRIPT);
  const textsOf = (kind: ShellToken['kind']) => [
    ...new Set(tokens.filter((token) => token.kind === kind).map(({ text }) => text)),
  ];
  /** What is called on a type, with what stands between its brackets. */
  const calls = [...WINDOWS_HELPER_SCRIPT.matchAll(/\[([\w.]+)\]::(\w+)(?:\.(\w+))?\(([^()]*)\)/g)].map(
    ([, type, ...rest]) => ({ type, names: rest.slice(0, 2).filter(Boolean).join('.'), given: rest[2] }),
  );

  it('is made of these words, types and variables, and takes in nothing from outside', () => {
    expect(textsOf('word').sort()).toEqual(
      [
        ...['Add-Type', '-Namespace', 'AiFabric', '-Name', 'Power', '-MemberDefinition'],
        ...['while', '-ne', 'switch', 'default', 'if', 'else', '0', '2147483649', '2147483648'],
        ...['Out', 'WriteLine', 'In', 'ReadLine', 'GetLastWin32Error'],
        ...['SetThreadExecutionState', 'SetSuspendState'],
      ].sort(),
    );
    expect(textsOf('type').sort()).toEqual([
      'AiFabric.Power',
      'Console',
      'Runtime.InteropServices.Marshal',
      'uint32',
    ]);
    expect(textsOf('variable').sort()).toEqual(
      ['$ErrorActionPreference', '$null', '$verb', '$ok', '$code', '$true', '$false'].sort(),
    );
    // Filled in when this program was written, not while it runs.
    const source = readFileSync(new URL('./windows-helper-script.ts', import.meta.url), 'utf8');
    const filledIn = [...source.matchAll(/\$\{([^}]*)\}/g)].map(([, what]) => what);
    expect(filledIn).toEqual(['CONTINUOUS + SYSTEM_REQUIRED', 'CONTINUOUS']);
  });

  it('declares two functions of Windows, as their headers do', () => {
    const [declared = '', ...others] = textsOf('here-string');
    expect(others).toEqual([]);
    const imports = [
      ...declared.matchAll(/\[DllImport\("([\w.]+)"[^\]]*\)\]\s(?:\[[^\]]*\]\s)?(public [^;]*;)/g),
    ].map(([, library, signature = '']) => [library, signature.replaceAll(/\s+/g, ' ')]);
    const aByte = '[MarshalAs(UnmanagedType.U1)] bool';
    expect(imports).toEqual([
      ['kernel32.dll', 'public static extern uint SetThreadExecutionState(uint flags);'],
      [
        'powrprof.dll',
        `public static extern bool SetSuspendState( ${aByte} hibernate, ${aByte} force, ${aByte} noWakeEvents);`,
      ],
    ]);
    // BOOLEAN is one byte; without it .NET would read four.
    expect(declared).toMatch(/\[return: MarshalAs\(UnmanagedType\.U1\)\]\npublic static extern bool/);
    expect(declared.match(/SetLastError = true/g)).toHaveLength(2);
    const countOf = (mark: string) => declared.split(mark).length - 1;
    expect([countOf('('), countOf('['), countOf('"') % 2]).toEqual([countOf(')'), countOf(']'), 0]);
  });

  it('calls what it declared, by name and with what it takes', () => {
    const power = calls.filter(({ type }) => type === 'AiFabric.Power');
    expect(power.map(({ names, given }) => `${names}(${given})`)).toEqual([
      // ES_CONTINUOUS | ES_SYSTEM_REQUIRED, then ES_CONTINUOUS alone.
      'SetThreadExecutionState([uint32]2147483649)',
      'SetThreadExecutionState([uint32]2147483648)',
      'SetSuspendState($false, $false, $false)',
      'SetSuspendState($true, $false, $false)',
    ]);
    const others = calls.filter(({ type }) => type !== 'AiFabric.Power');
    expect([...new Set(others.map(({ type, names }) => `${type}.${names}`))]).toEqual([
      'Console.Out.WriteLine',
      'Console.In.ReadLine',
      'Runtime.InteropServices.Marshal.GetLastWin32Error',
    ]);
  });

  it('knows each verb that is asked of it, and answers in the words that are understood', () => {
    const cases = [...WINDOWS_HELPER_SCRIPT.matchAll(/^ {4}'(\w+)' \{ .* \}$/gm)].map(([, verb]) => verb);
    expect(cases).toEqual(VERBS);
    expect(textsOf('string')).toEqual(['Stop', 'ready', ...VERBS, 'ok ', 'failed ', ' ']);
    expect(readHelperLine('ready')).toEqual({ kind: 'ready' });
    for (const verb of VERBS) {
      expect(readHelperLine(`ok ${verb}`)).toEqual({ kind: 'ok', verb });
      expect(readHelperLine(`failed ${verb} 1314`)).toEqual({ kind: 'failed', verb, code: 1314 });
    }
  });

  it('is an argument that a command line of Windows can carry', () => {
    expect(WINDOWS_HELPER_SCRIPT.length).toBeLessThan(8_191);
    expect(WINDOWS_HELPER_SCRIPT).toMatch(/^[\n\x20-\x7e]*$/);
    // A backslash before a quote would need doubling.
    expect(WINDOWS_HELPER_SCRIPT).not.toContain('\\');
  });
});

describe('the reader of scripts', () => {
  it.each([
    ['$a = "$b"', /not understood/],
    ['& $program', /not understood/],
    ["$a = 'open", /not understood/],
    ["@'\nnever closed", /not understood/],
    ['if ($a) { $b', /not closed: \}/],
    ['if ($a }', /closes nothing/],
    ['$(Get-Item)', /not understood/],
    ['iex `x`', /not understood/],
  ])('refuses %j', (script, why) => {
    expect(() => readPowerShell(script)).toThrow(why);
  });

  it('reads words, strings and comments', () => {
    expect(readPowerShell("Add-Type 'it''s' # \"later\"\n[Console]::Out")).toEqual([
      { kind: 'word', text: 'Add-Type' },
      { kind: 'string', text: "it''s" },
      { kind: 'type', text: 'Console' },
      { kind: 'mark', text: '::' },
      { kind: 'word', text: 'Out' },
    ]);
  });
});
