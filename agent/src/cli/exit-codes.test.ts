import type { GoodbyeReason } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { InstallRefusedError, InstallStepError } from '../install/install-errors.js';
import { LinkError } from '../link/link-failure.js';
import { explainError } from './exit-codes.js';

const step = { kind: 'join', tells: 'Join https://motoko:8443', makes: [] };
const goodbye = (reason: GoodbyeReason): InstallStepError =>
  new InstallStepError(step, new LinkError({ code: 'goodbye', reason, detail: 'It says no.' }));

describe('an install that fails', () => {
  it.each(['token_unknown', 'token_used', 'token_expired', 'name_taken', 'revoked'] as const)(
    'by the control plane’s word is told by it: %s',
    (reason) => {
      const { exitCode, code, message } = explainError(goodbye(reason));
      expect([exitCode, code]).toEqual([4, reason]);
      expect(message).toMatch(/^Join https:\/\/motoko:8443: It says no\.\nWhat was done before stands/);
    },
  );

  it('for want of a control plane is told apart', () => {
    const cause = new LinkError({ code: 'pin_mismatch', detail: 'Another certificate.' });
    expect(explainError(new InstallStepError(step, cause))).toMatchObject({
      exitCode: 5,
      code: 'pin_mismatch',
    });
  });

  it('says what became of the agent that was stopped for it', () => {
    const error = new InstallStepError(step, new Error('It says no.'), 'It runs again.');
    expect(explainError(error).message).toMatch(/: It says no\.\nIt runs again\.\nWhat was done before/);
  });

  it('for any other reason is a failure', () => {
    const error = new InstallStepError(step, new Error('ENOSPC'));
    expect(explainError(error)).toMatchObject({ exitCode: 1, code: 'failed' });
  });

  it.each([
    ['token_needed', 2],
    ['server_needed', 2],
    ['not_root', 1],
    ['service_taken', 1],
  ] as const)('before it began is told with what mends it: %s', (code, exitCode) => {
    const error = new InstallRefusedError([{ code, detail: 'It is so.', fix: 'Do that.' }]);
    expect(explainError(error)).toEqual({ exitCode, code, message: 'It is so.\n  → Do that.' });
  });
});
