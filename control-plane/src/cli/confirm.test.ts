import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm, confirmByName, type Terminal } from './confirm.js';

function terminal(answer: string, isTTY = true): Terminal & { readonly asked: () => string } {
  const output = new PassThrough();
  const input = Object.assign(new PassThrough(), { isTTY });
  input.write(`${answer}\n`);
  return { input, output, asked: () => String(output.read() ?? '') };
}

describe('a confirmation', () => {
  it.each(['y', 'YES', ' yes '])('is given by %j', async (answer) => {
    const asked = terminal(answer);
    await confirm('apply this?', asked);
    expect(asked.asked()).toContain('apply this? [y/N] ');
  });

  it.each(['', 'n', 'yess', 'armitage'])('is not given by %j', async (answer) => {
    await expect(confirm('apply this?', terminal(answer))).rejects.toMatchObject({
      exitCode: 4,
      message: 'not confirmed: nothing was changed',
    });
  });

  it('is not given by who ends the input', async () => {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    input.end();
    const asked = confirm('apply this?', { input, output: new PassThrough() });
    await expect(asked).rejects.toMatchObject({ exitCode: 4 });
  });

  it('of what cannot be brought back takes its name, and no yes', async () => {
    const asked = terminal('ci');
    await confirmByName('ci', 'Revoke ci for ever?', asked);
    expect(asked.asked()).toContain('Revoke ci for ever? Type its name: ');
    for (const answer of ['y', 'CI', '']) {
      await expect(confirmByName('ci', 'Revoke it?', terminal(answer))).rejects.toMatchObject({
        exitCode: 4,
      });
    }
  });

  it('is not asked for without a terminal: the flag is named', async () => {
    for (const wanted of [
      confirm('apply?', terminal('y', false)),
      confirmByName('ci', '?', terminal('ci', false)),
    ]) {
      await expect(wanted).rejects.toMatchObject({ exitCode: 2, fix: 'add --yes' });
    }
  });
});
