import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJoinToken, parseJoinToken } from './join-token.js';

const chars = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const lower = 'abcdefghijklmnopqrstuvwxyz0123456789';
const token = fc.record({
  id: chars(lower, 8, 32),
  secret: chars(`${lower}${lower.toUpperCase()}_-`, 32, 64),
  certificateSha256: chars('0123456789abcdef', 64, 64),
});

describe('a join token', () => {
  it('comes back from its text as it was, white space around it forgiven', () => {
    fc.assert(
      fc.property(token, fc.constantFrom('', ' ', '\n', '\r\n\t'), (parts, space) => {
        expect(parseJoinToken(`${space}${formatJoinToken(parts)}${space}`)).toEqual(parts);
      }),
    );
  });

  it('is null for any text that is not one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseJoinToken(text)).toBeNull();
      }),
    );
  });

  it('is null when any part of it is missing, too short or of other letters', () => {
    const id = 'k3v9x2mq';
    const secret = 's'.repeat(43);
    const sha = 'ab'.repeat(32);
    expect(parseJoinToken(`aifj_${id}.${secret}.${sha}`)).not.toBeNull();
    for (const text of [
      `${id}.${secret}.${sha}`,
      `aifj_${id}.${secret}`,
      `aifj_${id}.${secret}.`,
      `aifj_${id}..${sha}`,
      `aifj_.${secret}.${sha}`,
      `aifj_SHOUTING.${secret}.${sha}`,
      `aifj_${id}.${secret.slice(20)}.${sha}`,
      `aifj_${id}.${secret}.${sha.toUpperCase()}`,
      `aifj_${id}.${secret}.${sha}00`,
      `aifj_${id}.${secret}.${sha} and more`,
    ]) {
      expect({ text, parsed: parseJoinToken(text) }).toEqual({ text, parsed: null });
    }
  });
});
