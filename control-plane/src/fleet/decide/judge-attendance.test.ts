import { describe, expect, it } from 'vitest';
import { type AttendanceFacts, judgeAttendance } from './judge-attendance.js';

const power = {
  ...{ verbs: [], sleepStates: [], modernStandby: false, fastStartup: false, onBattery: false },
};
const windows = { os: 'windows', power } as const;
const itself = { os: 'windows', power: { ...power, autoLogon: true } } as const;
const linux = { os: 'linux', power } as const;
const there = { present: true, remoteSession: false };
const afar = { present: false, remoteSession: true };
const nobody = { present: false, remoteSession: false };

describe('a machine that came back', () => {
  it.each<[Partial<AttendanceFacts>, RegExp | null]>([
    [{}, null],
    [{ owner: null }, null],
    [{ inventory: null }, null],
    [{ owner: there }, /signed in at it/],
    [{ owner: afar }, /from afar/],
    [{ missedSignIn: true }, /somebody did/],
    [{ missedSignIn: true, inventory: linux }, /somebody did/],
    [{ owner: there, inventory: linux }, null],
    [{ owner: there, missedSignIn: true, inventory: itself }, null],
    [{ owner: there, missedSignIn: true, fromState: 'suspend' }, null],
    [{ owner: there, missedSignIn: true, fromState: 'hibernate' }, null],
  ])('may have had help: %j', (more, told) => {
    const facts = { fromState: 'poweroff', missedSignIn: false, inventory: windows, owner: nobody } as const;
    const found = judgeAttendance({ ...facts, ...more });
    if (told === null) expect(found).toBeNull();
    else expect(found).toMatch(told);
  });
});
