import { describe, expect, it } from 'vitest';
import { fillScript } from './fill-script.mjs';

const release = {
  version: '0.2.0',
  artefacts: [{ name: 'ai-fabric-agent-linux-x64.gz', sha256: 'ab'.repeat(32), bytes: 45 }],
};

describe('an installer’s script', () => {
  it('is told version, hashes and sizes', () => {
    const text =
      'version=@VERSION@ sha="@SHA256:ai-fabric-agent-linux-x64.gz@" size=@BYTES:ai-fabric-agent-linux-x64.gz@\n';
    expect(fillScript(text, release)).toBe(`version=0.2.0 sha="${'ab'.repeat(32)}" size=45\n`);
  });

  it('is told that an artefact is lacking where it asks so', () => {
    expect(fillScript('x=@SHA256?:ai-fabric-agent-linux-x64.gz@', release)).toBe(`x=${'ab'.repeat(32)}`);
    expect(fillScript("x='@SHA256?:ai-fabric-agent-linux-x64.xz@'", release)).toBe("x=''");
  });

  it('keeps what only looks like a placeholder', () => {
    const text = 'mail user@example.com; echo "$@"; @version@ @VERSION @ @@\n';
    expect(fillScript(text, release)).toBe(text);
  });

  it.each([
    '@SHA256:other.gz@',
    '@SHA256?@',
    '@VERSION?@',
    '@BYTES?:other.gz@',
    '@SHA256@',
    '@VERSION:ai-fabric-agent-linux-x64.gz@',
    '@COMMIT@',
  ])('is refused with %s, which nobody can fill', (placeholder) => {
    expect(() => fillScript(`x=${placeholder}`, release)).toThrow(placeholder);
  });

  it('takes what it is told as it is, whatever letters it has', () => {
    const odd = { ...release, version: '1.0.0-$&' };
    expect(fillScript('@VERSION@', odd)).toBe('1.0.0-$&');
  });
});
