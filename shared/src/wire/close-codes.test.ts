import { describe, expect, it } from 'vitest';
import { closeCodes, needsOperator, reasonOfCloseCode } from './close-codes.js';
import { goodbyeReasonSchema } from './frames.js';

describe('close codes', () => {
  it('are unique, one for each reason', () => {
    expect(Object.keys(closeCodes).sort()).toEqual([...goodbyeReasonSchema.options].sort());
    expect(new Set(Object.values(closeCodes)).size).toBe(goodbyeReasonSchema.options.length);
  });

  it('are ones that an application may send', () => {
    for (const code of Object.values(closeCodes)) {
      expect(code === 1001 || (code >= 4000 && code <= 4999)).toBe(true);
    }
  });

  it('lead back to their reason, and a foreign code to none', () => {
    for (const reason of goodbyeReasonSchema.options) {
      expect(reasonOfCloseCode(closeCodes[reason])).toBe(reason);
    }
    expect(reasonOfCloseCode(1006)).toBeUndefined();
    expect(reasonOfCloseCode(1009)).toBeUndefined();
  });

  it('send to the operator what trying again cannot mend, and nothing else', () => {
    expect(goodbyeReasonSchema.options.filter(needsOperator).sort()).toEqual([
      'machine_mismatch',
      'name_taken',
      'proof_failed',
      'protocol_too_old',
      'revoked',
      'token_expired',
      'token_unknown',
      'token_used',
      'unknown_host',
    ]);
  });
});
