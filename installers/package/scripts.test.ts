import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fillScript } from './decide/fill-script.mjs';

const folder = new URL('../scripts/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
/** Without comments and what stands behind a command. */
const codeOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
/** What a script of PowerShell does at an error in one of its lines. */
function reactionAt(code: readonly string[], at: number): string | undefined {
  const set = code.slice(0, at).map((line) => /^\$ErrorActionPreference = '(\w+)'$/.exec(line)?.[1]);
  return set.findLast((each) => each !== undefined);
}
/** Where each of these stands first, in this order. */
function expectInOrder(text: string, parts: readonly string[]): void {
  const places = parts.map((part) => ({ part, at: text.indexOf(part) }));
  for (const { part, at } of places) expect({ part, found: at >= 0 }).toEqual({ part, found: true });
  expect(places).toEqual([...places].sort((one, other) => one.at - other.at));
}

const ARTEFACTS = ['linux-x64.gz', 'linux-x64.xz', 'windows-x64.zip'].map((end, at) => ({
  ...{ name: `ai-fabric-agent-${end}`, bytes: 1, sha256: String(at).repeat(64) },
}));
const agentScripts = ['agent.sh', 'agent.ps1'];

describe.each(agentScripts)('%s', (name) => {
  const text = read(name);

  it('is thin: under sixty lines, none of them long', () => {
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(60);
    for (const line of lines) expect({ line, fits: line.length <= 130 }).toEqual({ line, fits: true });
  });

  it('has a place for nothing but what packaging knows', () => {
    const filled = fillScript(text, { version: '0.2.0', artefacts: ARTEFACTS });
    expect(filled).not.toMatch(/@[A-Z]\w*[?:@]/);
    expect(filled).toContain('0.2.0');
    for (const name of text.match(/ai-fabric-agent-[\w.-]+/g) ?? []) {
      const known = ARTEFACTS.find((each) => each.name === name);
      if (known !== undefined) expect(filled).toContain(known.sha256);
    }
  });

  it('is plain ASCII with the ends of lines of Unix', () => {
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('fetches from the pinned control plane alone, past a proxy, over TLS alone', () => {
    const fetches = codeOf(text).filter((line) => /\bcurl(\.exe)? -/.test(line));
    expect(fetches).toHaveLength(1);
    for (const part of ['--pinnedpubkey "sha256//', "--noproxy '*'", "--proto '=https'"]) {
      expect(fetches[0]).toContain(part);
    }
    expect(text).not.toMatch(/\b(wget|Invoke-WebRequest|iwr|irm|Invoke-RestMethod|WebClient)\b/i);
  });

  it('never runs what it has only just fetched, or made up', () => {
    expect(text).not.toMatch(
      /\beval\b|\bsource\b|^\s*\. |Invoke-Expression|\biex\b|\|\s*(ba|da|z)?sh\b|Start-Process/im,
    );
  });

  it('puts the token on no command line', () => {
    expect(text).toContain('--token-file -');
    expect(text).not.toMatch(/--token[ =](?!-)/);
  });
});

describe('agent.sh', () => {
  const text = read('agent.sh');
  const code = codeOf(text);

  it('checks what it fetched before it unpacks it, and runs it last', () => {
    expectInOrder(code.join('\n'), [
      'fetch "$name" || fail',
      'echo "$sha256  $dir/$name" | sha256sum -c --quiet - >&2 || fail',
      '$unpack "$dir/$name" >"$dir/ai-fabric-agent" || fail',
      'chmod 0700 "$dir/ai-fabric-agent"',
      '"$dir/ai-fabric-agent" install ',
    ]);
    expect(code.at(-1)).toMatch(/^"\$dir\/ai-fabric-agent" install .* "\$@"$/);
    expect(code.filter((line) => line.startsWith('"$dir/'))).toHaveLength(1);
  });

  it('stops at the first command that fails, and at a variable that is not set', () => {
    expect(text.split('\n')[0]).toBe('#!/bin/sh');
    expect(code[0]).toBe('set -eu');
  });

  it('keeps to what every POSIX shell has', () => {
    expect(text).not.toMatch(/\[\[|\blocal\b|\bfunction\b|<<<|\$'|pipefail|<\(|\bdeclare\b|&>/);
  });

  it('quotes what it puts in place of a variable', () => {
    // Nothing falls apart where a variable is set; `$unpack` is a command with its option, and is to.
    const unquoted = code
      .join('\n')
      .replaceAll(/"[^"\n]*"|'[^'\n]*'/g, '')
      .match(/\$(?:\w+|\{[^}]*\}|\()/g);
    expect(new Set(unquoted ?? [])).toEqual(new Set(['$2', '$4', '$(', '$smaller', '$unpack']));
  });

  it('leaves nothing behind', () => {
    expectInOrder(code.join('\n'), ['umask 077', 'mktemp -d', `trap 'rm -rf "$dir"' EXIT`]);
  });
});

describe('agent.ps1', () => {
  const text = read('agent.ps1');
  const code = codeOf(text);

  it('checks what it fetched before it unpacks it, and runs it last', () => {
    expectInOrder(code.join('\n'), [
      'curl.exe ',
      "if ((Get-FileHash 'ai-fabric-agent-windows-x64.zip' -Algorithm SHA256).Hash -ne '@SHA256:ai-fabric-agent-windows-x64.zip@') {",
      "Expand-Archive 'ai-fabric-agent-windows-x64.zip' $dir",
      '& "$dir\\ai-fabric-agent.exe" install ',
    ]);
    const check = code.findIndex((line) => line.includes('Get-FileHash'));
    expect(code[check + 1]).toMatch(/^throw /);
    const runs = code.filter((line) => /(^|\| )& /.test(line) && !line.includes('throw "usage'));
    expect(runs).toHaveLength(1);
  });

  it('stops at the first error, and leaves the shell that it runs in open', () => {
    expect(code[1]).toBe("$ErrorActionPreference = 'Stop'");
    expect(text).not.toMatch(/\bexit\b(?! code)/i);
  });

  it('does not end at what a program says on standard error: an error of its own to ISE and to remoting', () => {
    const reactions = code.map((line, at) => ({ line, reaction: reactionAt(code, at) }));
    const natives = reactions.filter(({ line }) => /^curl\.exe |\| & "/.test(line));
    expect(natives.map(({ reaction }) => reaction)).toEqual(['Continue', 'Continue']);
    const own = reactions.filter(({ line }) =>
      /^(if \(\(Get-FileHash|Expand-Archive|\$null = New-Item)/.test(line),
    );
    expect(own.map(({ reaction }) => reaction)).toEqual(['Stop', 'Stop', 'Stop']);
  });

  it('takes a program that cannot start, and so leaves no exit code, for one that failed', () => {
    const unset = code.flatMap((line, at) => (line === '$global:LASTEXITCODE = 1' ? [at] : []));
    const runs = code.flatMap((line, at) => (/^curl\.exe |\| & "/.test(line) ? [at] : []));
    expect(unset.map((at) => at + 1)).toEqual(runs);
    expect(code[(runs[1] ?? 0) + 1]).toMatch(/^if \(\$LASTEXITCODE -ne 0\) \{ throw /);
    expect(text).toContain("if ($LASTEXITCODE -ne 0 -and $name -ne 'manifest.sig') { throw");
  });

  it('asks for nothing that PowerShell 5.1 lacks', () => {
    expect(text).not.toMatch(/\?\?|&&|\|\||\?\.|-Parallel/);
  });

  it('leaves nothing behind, and ends as it would have where a scanner still holds a file', () => {
    const removal = 'Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $dir';
    expectInOrder(code.join('\n'), ['try {', '} finally {', removal, 'Test-Path $dir']);
  });
});

it('every script for hosts is looked at here', () => {
  const found = readdirSync(folder).filter((name) => /^agent\..*(sh|ps1)$/.test(name));
  expect(found.sort()).toEqual([...agentScripts].sort());
});
