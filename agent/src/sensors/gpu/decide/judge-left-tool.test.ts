import { describe, expect, it } from 'vitest';
import { isLeftTool, readStartTicks } from './judge-left-tool.js';

const record = { pid: 7, bootId: 'b1', startTicks: '900', args: ['--query-gpu=uuid', '-l', '2'] };
const seen = {
  bootId: 'b1',
  startTicks: '900',
  commandLine: '/usr/bin/nvidia-smi\0--query-gpu=uuid\0-l\x002\0',
};

describe('a process with a recorded id', () => {
  it.each([
    ['all is as recorded', {}, true],
    ['a wrapper stands before the tool', { commandLine: `/bin/sh\0/opt/wrap${seen.commandLine}` }, true],
    ['the machine was started anew', { bootId: 'b2' }, false],
    ['it started at another time', { startTicks: '901' }, false],
    ['it is another command', { commandLine: 'sleep\x00100\0' }, false],
    ['it has arguments of its own', { commandLine: `${seen.commandLine}-x\0` }, false],
    ['its last argument only ends alike', { commandLine: 'x\0-y--query-gpu=uuid\0-l\x002\0' }, false],
    ['it is a zombie', { commandLine: '' }, false],
  ])('when %s', (_, differing, isOurs) => {
    expect(isLeftTool(record, { ...seen, ...differing })).toBe(isOurs);
  });

  it.each([
    ['7 (nvidia-smi) S 1 7 7 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 900 1000 10', '900'],
    ['7 (a ) b) S 1 7 7 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 901 1000 10', '901'],
    ['7 (cut) S 1', null],
    ['', null],
  ])('started when /proc says: %s', (stat, ticks) => {
    expect(readStartTicks(stat)).toBe(ticks);
  });
});
