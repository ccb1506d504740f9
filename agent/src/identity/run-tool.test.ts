import { describe, expect, it } from 'vitest';
import { startPowerChild } from '../power/power-child.js';
import { toolText } from '../sensors/host/tool-text.js';
import { captureRun, leaveTool, runTool } from './run-tool.js';

/** One argument may have 128 KiB: Node throws this at once (E2BIG), as it does what Windows says that it has no name for. */
const TOO_LONG = ['x'.repeat(200_000)];

describe('a program whose start fails in a way that Node throws', () => {
  it('is a tool that failed', async () => {
    await expect(runTool('true', TOO_LONG)).rejects.toThrow('E2BIG');
  });

  it('is captured as one that did not start', async () => {
    const { signal } = new AbortController();
    expect(await captureRun('true', TOO_LONG, { maxBytes: 10, signal })).toEqual({
      ...{ output: '', errorText: '', exitCode: null, startError: 'E2BIG', isCut: false },
    });
  });

  it('tells nothing', async () => {
    expect(await toolText('true', TOO_LONG)).toBe('');
  });

  it('is left alone', () => {
    expect(() => leaveTool('true', TOO_LONG, '/')).not.toThrow();
  });

  it('is a child of the power that has ended, which can be told and ended all the same', async () => {
    const detail = await new Promise<string>((onEnd) => {
      let isBack = false;
      const child = startPowerChild({
        ...{ file: 'true', args: TOO_LONG },
        onEnd: (why) => onEnd(isBack ? why : 'ended before its caller had it'),
      });
      isBack = true;
      child.tell('anything');
      child.end();
    });
    expect(detail).toContain('E2BIG');
  });
});
