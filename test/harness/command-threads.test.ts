import { expect, test } from 'vitest';
import { runInThread } from './command-threads.js';
import { describeThorough } from './real-part.js';
import { PROGRAMS, ProgramProcess } from './run-program.js';

const inProcess = (args: readonly string[]) => {
  const program = new ProgramProcess(PROGRAMS.controlPlane, args);
  program.child.stdin?.end();
  return program.ended();
};

describeThorough('a command that runs in a thread', {}, () => {
  test.each([
    [['hosts', '--no-such-flag']],
    [['token', 'list', '--json', '--data', '/none']],
    [['import', 'litellm', '/none/config.yaml']],
  ])('says and ends with what the program does, given %j', async (args) => {
    const [thread, program] = await Promise.all([runInThread(args, {}), inProcess(args)]);
    expect(thread).toEqual(program);
    expect(await runInThread(args, {})).toEqual(program);
  });
});
