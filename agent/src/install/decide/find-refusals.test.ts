import { describe, expect, it } from 'vitest';
import type { InstallRequest } from '../install-steps.js';
import { type JoinFacts, joinRefusals } from './find-refusals.js';

const damaged: JoinFacts = {
  ...{ record: null, machineSha256: null, joined: null, joinedFault: 'agent.json is damaged.' },
};
const wish: InstallRequest = {
  ...{ server: 'https://motoko:8443', token: 'aifj_…', name: null, release: null, engineAccess: null },
  ...{ dockerLogonTask: null, newIdentity: false, rejoin: false, allowDowngrade: false },
};
const nothing: InstallRequest = { ...wish, server: null, token: null };

describe('what this host has joined, where that is damaged', () => {
  it.each([
    ['with a token', wish],
    ['without', nothing],
  ])('is not written anew unasked, %s, and the way is named', (_what, request) => {
    expect(joinRefusals(damaged, request)).toEqual([
      {
        ...{ code: 'damaged_state', detail: 'agent.json is damaged.' },
        fix: expect.stringMatching(/backup.*--rejoin put behind its --pin/),
      },
    ]);
  });

  it('is no hindrance to who joins anew, by the same key or another', () => {
    expect(joinRefusals(damaged, { ...wish, rejoin: true })).toEqual([]);
    expect(joinRefusals(damaged, { ...wish, newIdentity: true })).toEqual([]);
  });

  it('does not tell to whom: both have to be named, by a line that is not refused again', () => {
    for (const [asked, option] of [
      [{ rejoin: true }, '--rejoin'],
      [{ newIdentity: true }, '--new-identity'],
    ] as const) {
      expect(joinRefusals(damaged, { ...nothing, ...asked })).toMatchObject([
        { code: 'server_needed', fix: expect.stringContaining(option) },
        { code: 'token_needed', fix: expect.stringContaining(option) },
      ]);
    }
  });
});
