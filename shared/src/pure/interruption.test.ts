import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interruption, STOP_SIGNALS } from './interruption.js';

class PretendProcess extends EventEmitter {
  readonly pid = 71;
  readonly killed: (readonly [number, string])[] = [];
  kill(processId: number, signal: string): void {
    this.killed.push([processId, signal]);
  }
  heardBy(): number {
    return STOP_SIGNALS.reduce((count, signal) => count + this.listenerCount(signal), 0);
  }
}

function watched() {
  const program = new PretendProcess();
  const told: string[] = [];
  const interruption = new Interruption(program, () => void told.push('heard'));
  const send = (signal: string): void => void program.emit(signal, signal);
  return { program, told, interruption, send };
}

describe('an interruption', () => {
  it.each(STOP_SIGNALS)('is noted, told once, and ends nothing: %s', (signal) => {
    const { program, told, interruption, send } = watched();
    expect(interruption.isAsked).toBe(false);
    send(signal);
    expect([interruption.isAsked, told, program.killed]).toEqual([true, ['heard'], []]);
  });

  it('asked for again ends the process by that signal, with nobody who hears it', () => {
    const { program, told, send } = watched();
    send('SIGINT');
    send('SIGTERM');
    expect([program.killed, program.heardBy(), told]).toEqual([[[71, 'SIGTERM']], 0, ['heard']]);
  });

  it('is taken once; a second one ends the process all the same', () => {
    const { program, interruption, send } = watched();
    send('SIGHUP');
    expect([interruption.take(), interruption.take(), interruption.isAsked]).toEqual([true, false, false]);
    send('SIGHUP');
    expect(program.killed).toEqual([[71, 'SIGHUP']]);
  });

  it('leaves nobody who hears when it is closed', () => {
    const { program, interruption } = watched();
    expect(program.heardBy()).toBe(STOP_SIGNALS.length);
    interruption.close();
    expect(program.heardBy()).toBe(0);
  });
});
