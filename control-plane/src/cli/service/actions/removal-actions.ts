import { confirm } from '../../confirm.js';
import { printJson } from '../../output.js';
import { undoReplaceLitellm } from '../replace-litellm.js';
import { rollBackService } from '../rollback-service.js';
import { PLACES } from '../service-places.js';
import { uninstallService } from '../uninstall-service.js';
import { type CommonFlags, machineOf, refuseImage, waitOf } from './common-flags.js';

export async function rollbackAction(flags: CommonFlags & { readonly registry?: boolean }): Promise<void> {
  refuseImage(flags, 'a rollback');
  const machine = machineOf(flags);
  const options = { registry: flags.registry === true, dryRun: flags.dryRun === true, waitMs: waitOf(flags) };
  const { from, to, restoredRegistry, proof } = await rollBackService(machine, options);
  if (flags.json) {
    printJson({ from, to, restoredRegistry, running: proof !== null, dryRun: options.dryRun });
    return;
  }
  const registry = restoredRegistry ? 'the registry of before that upgrade' : 'the present registry';
  if (options.dryRun) console.log(`would return from ${from} to ${to}, with ${registry}`);
  else console.log(`AI Fabric ${to} runs again, with ${registry}.`);
  for (const note of proof?.notes ?? []) console.log(`Note: ${note}`);
}

export async function uninstallAction(
  flags: CommonFlags & { readonly purge?: boolean; readonly yes?: boolean },
): Promise<void> {
  const machine = machineOf(flags);
  const options = { purge: flags.purge === true, dryRun: flags.dryRun === true };
  if (options.purge && !options.dryRun && !flags.yes) {
    await confirm(
      `Delete ${PLACES.data}: certificate, registry and admin token? Every host has to join anew then.`,
    );
  }
  const { steps, stays } = await uninstallService(machine, options);
  if (flags.json) {
    printJson({ dryRun: options.dryRun, steps, stays });
    return;
  }
  if (options.dryRun) console.log(`would\n${steps.map((step) => `  ${step}`).join('\n')}`);
  else console.log('AI Fabric is removed.');
  if (stays.length > 0) console.log('What stays:');
  for (const { path, why } of stays) console.log(`  ${path.padEnd(20)}  ${why}`);
}

export async function undoAction(flags: CommonFlags): Promise<void> {
  refuseImage(flags, '--undo-replace-litellm');
  const replaced = await undoReplaceLitellm(machineOf(flags), waitOf(flags));
  if (flags.json) printJson({ replaced });
  else console.log(`${replaced.unit} answers on port ${replaced.port} again; AI Fabric runs beside it.`);
}
