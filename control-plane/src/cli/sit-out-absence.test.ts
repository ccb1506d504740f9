import { describe, expect, test } from 'vitest';
import { CliError, exitCodes } from './exit-codes.js';
import { sitOutAbsence } from './sit-out-absence.js';

const gone = new CliError(exitCodes.unreachable, 'http://127.0.0.1:8000 does not answer');

/** Answers of one question after the other; errors are thrown. */
function asked(...answers: readonly (string | Error)[]) {
  const left = [...answers];
  const told: string[] = [];
  let waits = 0;
  const run = () =>
    sitOutAbsence(
      async () => {
        const next = left.shift();
        if (next instanceof Error) throw next;
        return next;
      },
      (line) => told.push(line),
      async () => {
        waits += 1;
      },
    );
  return { run, told, waits: () => waits };
}

describe('who follows while the control plane', () => {
  test('answers hears nothing but the answer', async () => {
    const { run, told, waits } = asked('page');
    expect(await run()).toBe('page');
    expect(told).toEqual([]);
    expect(waits()).toBe(0);
  });

  test('is away is told once, and once more when it is back', async () => {
    const { run, told, waits } = asked(gone, gone, gone, 'page');
    expect(await run()).toBe('page');
    expect(told).toEqual([
      'http://127.0.0.1:8000 does not answer; waiting for it (Ctrl-C ends this)',
      'the control plane is back',
    ]);
    expect(waits()).toBe(3);
  });

  test('refuses ends with what it says', async () => {
    const refused = new CliError(exitCodes.refused, 'wrong admin token');
    await expect(asked(gone, refused).run()).rejects.toBe(refused);
  });
});
