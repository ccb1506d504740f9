import { createInterface } from 'node:readline';
import { SleepingMachine, sleepingMachineSchema } from './sleeping-machine.js';

/**
 * A sleeping machine as a process, for a network namespace of its own. The first line of its standard input is the
 * options as JSON; later ones are `button`, `shutdown`, `cut`, and its end is the end. Each event is a line of JSON on standard output.
 */
async function main(): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) throw new Error('expected the options as a line of JSON');
  const options = sleepingMachineSchema.parse(JSON.parse(first.value));
  const machine = new SleepingMachine(options, (event) => {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  });
  await machine.start();
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    if (next.value === 'button') machine.pressButton();
    else if (next.value === 'shutdown') await machine.shutDown();
    else if (next.value === 'cut') await machine.cutPower();
    else throw new Error(`unknown: ${next.value}`);
  }
  await machine.close();
}

await main();
