import { describe, expect, it } from 'vitest';
import { answer, type SmiAction } from './answer.js';
import { parseArguments } from './parse-arguments.js';
import { nvidiaSmiScenario } from './scenario.js';

const CSV = ['--format=csv,noheader,nounits'];
const recorded = [
  {
    args: ['--query-gpu=uuid,index,fan.speed', ...CSV],
    text: 'GPU-a, 0, 30\r\nGPU-b, 1, [N/A]\r\n',
    exitCode: 0,
  },
  { args: ['-q', '-x'], text: '<nvidia_smi_log/>\r\n', exitCode: 0 },
  { args: ['pmon', '-c', '1'], text: 'Not supported\n', exitCode: 3 },
];

function ask(args: readonly string[], runs: readonly (typeof recorded)[number][] = recorded): SmiAction {
  const moment = { tick: 0, scenarioTick: 0, now: new Date(0) };
  return answer(nvidiaSmiScenario({ recorded: runs }), parseArguments(args), moment, args);
}

describe('a recorded nvidia-smi', () => {
  it('says the same again, word for word, failures too', () => {
    for (const { args, text, exitCode } of recorded)
      expect(ask(args)).toEqual({ kind: 'end', text, exitCode });
  });

  it('answers a query for other columns, for some of the cards, again and again', () => {
    expect(ask(['--query-gpu=fan.speed,uuid', ...CSV, '-i', 'GPU-b', '-lms', '500'])).toEqual({
      ...{ kind: 'print', text: '[N/A], GPU-b\n' },
    });
  });

  it('does not know what was not recorded', () => {
    expect(ask(['--query-gpu=uuid,pstate', ...CSV])).toMatchObject({
      ...{ exitCode: 2, text: expect.stringContaining('Field "pstate" is not a valid field to query') },
    });
    expect(ask(['-L'])).toMatchObject({ exitCode: 2, text: expect.stringContaining('was not recorded') });
    expect(ask(['--query-gpu=uuid', ...CSV], [])).toMatchObject({ exitCode: 2 });
  });

  it('fails in a loop as it failed once', () => {
    const mismatch = {
      args: recorded[0]?.args ?? [],
      text: 'Driver/library version mismatch\n',
      exitCode: 18,
    };
    expect(ask([...mismatch.args, '-l', '2'], [mismatch])).toEqual({
      kind: 'end',
      text: mismatch.text,
      exitCode: 18,
    });
  });
});
