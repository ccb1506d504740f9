import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { REHEARSED_ACTIONS, rehearsalSchema } from '../../api/wake-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { ProgressLine } from '../progress-line.js';

type Rehearsal = z.infer<typeof rehearsalSchema>;

interface RehearseFlags extends ConnectionFlags {
  action?: (typeof REHEARSED_ACTIONS)[number];
  despiteGuards?: boolean;
}

const LOOK_AGAIN_MS = 500;

export function addRehearseCommand(hosts: Command): void {
  const rehearse = hosts
    .command('rehearse <host>')
    .description('sleep, wake and a token, once and on purpose; the proof lets it sleep by itself')
    .addOption(
      new Option('--action <action>', 'what it is put to sleep by, if not as declared').choices([
        ...REHEARSED_ACTIONS,
      ]),
    )
    .option(
      '--despite-guards',
      'although a guard speaks against it: an owner who is present, requests under way',
    )
    .addHelpText(
      'after',
      `
It tells what goes on on standard error, and ends when the host answered with a token or did not: exit code 0 when its
wake is proven, 4 when it was not put to sleep, 1 when it did not come back.`,
    );
  withConnection(rehearse).action(async (name: string, flags: RehearseFlags) => {
    const client = connect(flags);
    const path = `/hosts/${encodeURIComponent(name)}`;
    const asked = { action: flags.action ?? null, despiteGuards: flags.despiteGuards === true };
    const progress = new ProgressLine(process.stderr);
    let found = await client.post(`${path}/rehearse`, asked, rehearsalSchema);
    try {
      while (found.outcome === null) {
        progress.show(`${name}: ${PHASES[found.phase]}`, found.phase);
        await pause(LOOK_AGAIN_MS);
        found = await client.get(`${path}/rehearsal`, rehearsalSchema);
      }
    } finally {
      progress.end();
    }
    if (flags.json) printJson(found);
    else if (found.outcome === 'proven') console.log(describeProof(found));
    if (found.outcome === 'proven') return;
    const code = found.outcome === 'refused' ? exitCodes.refused : exitCodes.failed;
    throw new CliError(code, `${name}: ${found.detail ?? found.code ?? 'it did not come back'}`);
  });
}

const PHASES = {
  sleeping: 'is put to sleep',
  lying_down: 'goes to sleep',
  waking: 'is woken',
  done: 'is done',
} as const;

function describeProof({ host, action }: Rehearsal): string {
  return `${host} came back from ${action ?? 'sleep'} up to a token: its wake is proven`;
}
