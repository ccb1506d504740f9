import { Command } from 'commander';
import { OWN_VERBS } from '../../own-program.js';

/** What a single executable starts as its child, where a checkout has `inventory-child.js`. */
export function gpuInventoryCommand(): Command {
  return new Command(OWN_VERBS.gpuInventory)
    .description('Print what the cards are, as one line of JSON')
    .action(async () => {
      const { printGpuInventory } = await import('../../sensors/gpu/print-gpu-inventory.js');
      printGpuInventory((line) => process.stdout.write(line));
    });
}
