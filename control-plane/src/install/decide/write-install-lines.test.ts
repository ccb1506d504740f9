import { describe, expect, it } from 'vitest';
import { type InstallLineFacts, writeInstallLines } from './write-install-lines.js';

const facts: InstallLineFacts = {
  server: 'https://motoko:8443',
  keyPin: 'q0Zr+/abcdefghijklmnopqrstuvwxyz0123456789A=',
  token: `aifj_k3v9x2mq.${'s'.repeat(43)}.${'ab'.repeat(32)}`,
  hostName: null,
  scripts: { linux: 'cd'.repeat(32), windows: 'ef'.repeat(32) },
};

describe('the line for Linux', () => {
  const line = writeInstallLines(facts).linux ?? '';

  it('is one line that checks the script before it runs it', () => {
    expect(line).not.toMatch(/[\n\r]/);
    const order = ['curl ', '--pinnedpubkey', '| sha256sum -c', ' sh "$d/agent.sh"'].map((part) =>
      line.indexOf(part),
    );
    expect(order).toEqual([...order].sort((one, other) => one - other));
    expect(order[0]).toBeGreaterThan(0);
    expect(line).toContain(`echo "${'cd'.repeat(32)}  $d/agent.sh" | sha256sum -c --quiet && `);
  });

  it('gives the token to a builtin of the shell alone', () => {
    expect(line.split(facts.token)).toHaveLength(2);
    expect(line).toContain(`printf '%s\\n' '${facts.token}' | `);
  });

  it('needs no sudo where there is none', () => {
    expect(line).toContain('| $(command -v sudo) sh ');
  });

  it('passes a proxy of the environment by', () => {
    expect(line).toContain("--noproxy '*'");
  });

  it('names the host where the token is bound to one', () => {
    expect(writeInstallLines({ ...facts, hostName: 'armitage' }).linux).toContain("--name 'armitage'");
    expect(line).not.toContain('--name');
  });

  it('may lead to an IPv6 address', () => {
    const server = 'https://[fd7a:115c:a1e0::1]:8443';
    expect(writeInstallLines({ ...facts, server }).linux).toContain(`curl -gfsSk`);
    expect(writeInstallLines({ ...facts, server }).linux).toContain(`'${server}/install/agent.sh'`);
  });
});

describe('the line for PowerShell', () => {
  const line = writeInstallLines(facts).windows ?? '';

  it('is one line that checks the script before it runs it', () => {
    expect(line).not.toMatch(/[\n\r]/);
    const order = [
      'curl.exe ',
      '$LASTEXITCODE',
      'Get-FileHash',
      `-eq '${'ef'.repeat(32)}') {`,
      '[scriptblock]::Create',
      'else { throw',
    ];
    const places = order.map((part) => line.indexOf(part));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places[0]).toBeGreaterThan(0);
  });

  it('says what curl lacks where it cannot pin a key', () => {
    expect(line).toContain(
      `if ($LASTEXITCODE -in 2, 4) { throw 'nothing was run: this curl.exe cannot pin a key, which takes 7.58.1 or later: update Windows' }`,
    );
  });

  it('ends as it would have where something still holds what it fetched', () => {
    expect(line).toMatch(/\} finally \{ Remove-Item -Recurse -Force -ErrorAction SilentlyContinue \$d \}$/);
  });

  it('pipes the token, and gives it to no program', () => {
    expect(line.split(facts.token)).toHaveLength(2);
    expect(line).toContain(`'${facts.token}' | & ([scriptblock]::Create(`);
  });
});

describe('a line', () => {
  it('is left out for a system that has no script', () => {
    const lines = writeInstallLines({ ...facts, scripts: { linux: 'cd'.repeat(32), windows: null } });
    expect(lines).toMatchObject({ linux: expect.any(String), windows: null });
  });

  it.each([
    { server: "https://motoko:8443'; rm -rf / #" },
    { token: 'aifj_$(id)' },
    { hostName: 'a b' },
    { keyPin: 'x`id`' },
  ])('is never made of what a shell would take for its own: %j', (part) => {
    expect(() => writeInstallLines({ ...facts, ...part })).toThrow('a shell may take for its own');
  });
});
