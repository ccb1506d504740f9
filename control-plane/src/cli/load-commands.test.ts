import { expect, test } from 'vitest';
import { loadCommands } from './load-commands.js';

test('a command that is asked for comes alone, under the name that it was asked by', async () => {
  for (const { name } of await named([])) expect(await named([name])).toEqual([{ name }]);
});

test('help, a flag and a name that is none bring all of them', async () => {
  const all = await named([]);
  expect(all.length).toBeGreaterThan(20);
  for (const args of [['--help'], ['help', 'hosts'], ['hosst'], ['constructor']]) {
    expect(await named(args)).toEqual(all);
  }
});

async function named(args: readonly string[]): Promise<{ name: string }[]> {
  return (await loadCommands(args)).map((command) => ({ name: command.name() }));
}
