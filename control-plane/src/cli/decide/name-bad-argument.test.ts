import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { nameBadArgument } from './name-bad-argument.js';

function refusalOf(argv: readonly string[]): string {
  let told = '';
  const never = (words: string) => () => {
    throw new InvalidArgumentError(words);
  };
  new Command('ai-fabric')
    .exitOverride()
    .configureOutput({
      outputError: (text) => {
        told += nameBadArgument(text);
      },
    })
    .addOption(new Option('--within <time>', '').argParser(never('a time as 90s')))
    .addOption(new Option('-l, --lines <count>', '').argParser(never('expected a number.')))
    .addOption(new Option('--by <what>', '').choices(['role', 'key']))
    .addArgument(new Argument('[host]', '').argParser(never('lower-case letters')))
    .action(() => {})
    .parseAsync(argv, { from: 'user' })
    .catch(() => {});
  return told;
}

describe('a value that cannot be', () => {
  test.each([
    [['--within', 'soon'], 'error: --within <time>: expected a time as 90s, found "soon"\n'],
    [['--lines', "it's"], 'error: -l, --lines <count>: expected a number, found "it\'s"\n'],
    [['--by', 'kye'], 'error: --by <what>: expected role or key, found "kye"\n'],
    [['Armitage'], 'error: <host>: expected lower-case letters, found "Armitage"\n'],
    [
      ['sk-abc123456789'],
      'error: <host>: expected lower-case letters, found (not shown: it looks like a secret)\n',
    ],
  ])('%j is named with what was expected and what came', (argv, told) => {
    expect(refusalOf(argv)).toBe(told);
  });

  test('is told apart from what commander says otherwise', () => {
    expect(refusalOf(['--zzz'])).toBe("error: unknown option '--zzz'\n");
  });
});
