import { describe, expect, it } from 'vitest';
import { keyProofText, tunnelProofText } from './key-proof.js';

const parts = {
  nonce: 'bm9uY2U=',
  certificateSha256: 'ab'.repeat(32),
  publicKey: 'MCowBQYDK2VwAyEA',
  instanceId: 'i-1',
};

describe('the text of a key proof', () => {
  it('is what every released agent signs, to the byte', () => {
    expect(keyProofText(parts)).toBe(
      `ai-fabric link proof 1\nbm9uY2U=\n${'ab'.repeat(32)}\nMCowBQYDK2VwAyEA\ni-1`,
    );
  });

  it('changes with every part', () => {
    const texts = Object.keys(parts).map((key) => keyProofText({ ...parts, [key]: 'other' }));
    expect(new Set([keyProofText(parts), ...texts]).size).toBe(5);
  });
});

describe('the text of a proof for a tunnel', () => {
  it('is what every released agent signs, to the byte', () => {
    expect(tunnelProofText(parts)).toBe(
      `ai-fabric tunnel proof 1\nbm9uY2U=\n${'ab'.repeat(32)}\nMCowBQYDK2VwAyEA\ni-1`,
    );
  });

  it('is never that of a link', () => {
    expect(tunnelProofText(parts)).not.toBe(keyProofText(parts));
  });
});
