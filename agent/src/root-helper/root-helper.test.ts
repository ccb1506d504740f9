import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PowerVerb } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { helpedPower } from '../power/helped-power.js';
import type { PowerPort } from '../power/power-port.js';
import { UpgradeError } from '../upgrade/upgrade-error.js';
import { judgeHelperError } from './decide/judge-helper-error.js';
import { helperVerbSchema } from './helper-verbs.js';
import { rootHelper } from './root-helper.js';
import { serveVerb } from './serve-verb.js';

let answers: string;
let ran: string[];

beforeEach(async () => {
  answers = await mkdtemp(join(tmpdir(), 'answers-'));
  ran = [];
});
afterEach(() => rm(answers, { recursive: true, force: true }));

/** Writes down what is run; `fails` says what then goes wrong. */
const tool =
  (fails: string | null = null, prints = '') =>
  (file: string, args: readonly string[]): Promise<string> => {
    ran.push([file, ...args].join(' '));
    return fails === null ? Promise.resolve(prints) : Promise.reject(new Error(fails));
  };

const serve = (verb: string, power: readonly PowerVerb[] = ['suspend'], fails: string | null = null) =>
  serveVerb(helperVerbSchema.parse(verb), {
    ...{ answers, runTool: tool(fails), netClass: join(answers, 'net') },
    readPolicy: () => Promise.resolve({ power: [...power] }),
    upgrade: () => {
      ran.push('upgrade');
      return fails === null ? Promise.resolve() : Promise.reject(new UpgradeError('policy_refused', fails));
    },
  });

const answerOf = async (verb: string): Promise<unknown> =>
  JSON.parse(await readFile(join(answers, `${verb}.json`), 'utf8'));

describe('root', () => {
  it('does what the owner allows', async () => {
    expect(await serve('suspend')).toBe(true);
    expect(ran).toEqual(['systemctl suspend --no-ask-password']);
    expect(await answerOf('suspend')).toEqual({ verb: 'suspend', ok: true, code: null, detail: null });
  });

  it('refuses what the owner does not, whoever asks', async () => {
    expect(await serve('reboot')).toBe(false);
    expect(ran).toEqual([]);
    expect(await answerOf('reboot')).toMatchObject({ ok: false, code: 'policy_refused' });
  });

  it('takes in an upgrade, or says why not', async () => {
    expect(await serve('upgrade')).toBe(true);
    expect(await answerOf('upgrade')).toMatchObject({ ok: true, code: null });
    expect(await serve('upgrade', [], 'its owner said no')).toBe(false);
    expect(await answerOf('upgrade')).toMatchObject({
      ...{ ok: false, code: 'policy_refused', detail: 'its owner said no' },
    });
  });

  it('does nothing to the power where the policy cannot be read', async () => {
    const isDone = await serveVerb('suspend', {
      ...{ answers, runTool: tool() },
      readPolicy: () => Promise.reject(new Error('agent.yaml is wrong')),
      upgrade: () => Promise.resolve(),
    });
    expect(isDone).toBe(false);
    expect(ran).toEqual([]);
    expect(await answerOf('suspend')).toMatchObject({ ok: false, detail: 'agent.yaml is wrong' });
  });

  it('tells why it could not', async () => {
    expect(await serve('suspend', ['suspend'], 'Sleep verb not supported')).toBe(false);
    expect(await answerOf('suspend')).toMatchObject({ code: 'failed', detail: 'Sleep verb not supported' });
  });

  it('loads CUDA’s part of the driver anew', async () => {
    expect(await serve('reload-uvm')).toBe(true);
    expect(ran).toEqual(['modprobe --remove nvidia_uvm', 'modprobe nvidia_uvm']);
  });

  it('asks of each card, and of no bridge', async () => {
    await mkdir(join(answers, 'net', 'eth0', 'device'), { recursive: true });
    await mkdir(join(answers, 'net', 'docker0'), { recursive: true });
    expect(await serve('read-wake-arming')).toBe(true);
    expect(ran).toEqual(['ethtool eth0']);
    expect(await answerOf('read-wake-arming')).toMatchObject({ ok: true, ethtool: { eth0: '' } });
  });

  it('writes through no link that somebody put where its answer goes', async () => {
    const elsewhere = join(answers, 'elsewhere');
    await writeFile(elsewhere, 'as it was');
    await symlink(elsewhere, join(answers, 'suspend.json'));
    await serve('suspend');
    expect(await readFile(elsewhere, 'utf8')).toBe('as it was');
    expect((await readdir(answers)).sort()).toEqual(['elsewhere', 'suspend.json']);
  });
});

describe('the agent', () => {
  it('starts a unit, and reads what came of it', async () => {
    await writeFile(
      join(answers, 'suspend.json'),
      JSON.stringify({ verb: 'suspend', ok: true, code: null, detail: null }),
    );
    const answer = await rootHelper({ runTool: tool(), answers }).ask('suspend');
    expect(answer.ok).toBe(true);
    expect(ran).toEqual(['systemctl start --no-ask-password ai-fabric-agent-helper@suspend.service']);
  });

  it.each([
    [
      'not what was asked for',
      '{"verb":"suspend","ok":false,"code":"policy_refused","detail":"No."}',
      'refused',
      /^No\.$/,
    ],
    [
      'what went wrong',
      '{"verb":"suspend","ok":false,"code":"failed","detail":"No swap."}',
      'failed',
      /No swap/,
    ],
    ['garbage', '{', 'failed', /journalctl/],
  ])('is told of %s', async (_what, text, code, words) => {
    await writeFile(join(answers, 'suspend.json'), text);
    const helper = rootHelper({
      runTool: tool('Command failed: systemctl start\nJob for x failed because …'),
      answers,
    });
    await expect(helper.ask('suspend')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(words),
    });
  });

  it('does not take the answer of another time for one that it was not given', async () => {
    await writeFile(
      join(answers, 'suspend.json'),
      JSON.stringify({ verb: 'suspend', ok: true, code: null, detail: null }),
    );
    const helper = rootHelper({
      runTool: tool('Failed to start: Interactive authentication required.'),
      answers,
    });
    await expect(helper.ask('suspend')).rejects.toMatchObject({ code: 'denied' });
  });

  it('is answered by the very file that root writes', async () => {
    await serve('suspend');
    expect(await rootHelper({ runTool: tool(), answers }).ask('suspend')).toMatchObject({ ok: true });
  });
});

test.each([
  ['Failed to start x: Interactive authentication required.', 'denied'],
  ['Failed to start x: Access denied', 'denied'],
  ['Failed to start x: Unit ai-fabric-agent-helper@.service not found.', 'not_there'],
  ['spawn systemctl ENOENT', 'not_there'],
  ['Job for x.service failed because the control process exited with error code.', 'failed'],
  ['something else', 'failed'],
  ['', 'failed'],
])('%s is %s', (text, code) => {
  expect(judgeHelperError('suspend', text).code).toBe(code);
});

describe('power with root’s help', () => {
  const inner = (): PowerPort & { readonly calls: string[] } => {
    const calls: string[] = [];
    const note = (call: string) => (): void => void calls.push(call);
    return {
      calls,
      act: async () => note('act')(),
      hold: async () => note('hold')(),
      release: note('release'),
      close: note('close'),
    };
  };

  it('lets go of its own hold, and asks root instead of the system', async () => {
    const own = inner();
    await writeFile(
      join(answers, 'suspend.json'),
      JSON.stringify({ verb: 'suspend', ok: true, code: null, detail: null }),
    );
    const port = helpedPower(own, rootHelper({ runTool: tool(), answers }));
    await port.act('suspend');
    await port.hold();
    expect(own.calls).toEqual(['release', 'hold']);
  });

  it.each([
    ['Interactive authentication required.', '', 'power_denied'],
    ['Job for x failed', 'Sleep verb "suspend" not supported', 'power_not_supported'],
    ['Job for x failed', 'Operation inhibited by "anna"', 'power_inhibited'],
    ['Job for x failed', 'it broke', 'power_failed'],
  ])('%s %s is %s', async (fails, detail, code) => {
    await writeFile(
      join(answers, 'suspend.json'),
      JSON.stringify({ verb: 'suspend', ok: false, code: 'failed', detail }),
    );
    const port = helpedPower(inner(), rootHelper({ runTool: tool(fails), answers }));
    await expect(port.act('suspend')).rejects.toMatchObject({ code });
  });
});
