import { describe, expect, it } from 'vitest';
import { describePackage } from './describe-package.mjs';

const report = {
  out: '.data/release',
  seconds: 83.04,
  startMs: { 'ai-fabric-agent-linux-x64.gz': 62 },
  manifest: {
    ...{ version: '0.1.0', commit: '1a2b3c4'.padEnd(40, '0'), protocol: 6, keySha256: null },
    artefacts: [
      { name: 'ai-fabric-agent-linux-x64.gz', bytes: 45_123_456 },
      { name: 'agent.sh', bytes: 1_234 },
    ],
  },
};

describe('what a packaging ends with', () => {
  it('names sizes, start times, and that a development build is not signed', () => {
    expect(describePackage(report)).toBe(
      [
        'AI Fabric 0.1.0 of commit 1a2b3c4, protocol 6, NOT SIGNED: a development build (--key FILE signs one)',
        '  ai-fabric-agent-linux-x64.gz   45.1 MB, its program starts in 62 ms',
        '  agent.sh                        1.2 kB',
        'in .data/release, after 83.0 s',
        'Next: "npm start" serves it under /install/; docs/packaging.md tells the rest.',
      ].join('\n'),
    );
  });

  it('names the key that signed it', () => {
    const signed = { ...report, manifest: { ...report.manifest, keySha256: '0123456789abcdef'.repeat(4) } };
    expect(describePackage(signed)).toContain('signed by the release key 0123456789abcdef…');
  });

  it('says that files differ from the commit, or that there is none', () => {
    const of = (commit: string | null) =>
      describePackage({ ...report, manifest: { ...report.manifest, commit } });
    expect(of(`${'1a2b3c4'.padEnd(40, '0')}-dirty`)).toContain('of commit 1a2b3c4, changed since,');
    expect(of(null)).toContain('of no known commit');
  });
});
