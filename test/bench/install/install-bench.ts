import { type Bench, type BenchContext, BenchUsageError, type Measured } from '../bench.js';
import type { InstallPart } from './install-part.js';
import { linePart } from './line-part.js';
import { packagePart } from './package-part.js';

const parts: readonly InstallPart[] = [packagePart, linePart];
const names = parts.map(({ name }) => name).join(', ');

export const installBench: Bench = {
  name: 'install',
  measures:
    'how long a release takes to be packaged, how much a host fetches, how soon a pasted line links it, and what it costs there',
  figures: parts.flatMap(({ figures }) => figures),
  options: [{ name: 'only', value: 'PARTS', meaning: `some of its parts, apart by commas: ${names}` }],
  run: runInstallBench,
};

async function runInstallBench(context: BenchContext): Promise<Measured> {
  const chosen = choose(context.options['only']);
  const measured: Measured[] = [];
  for (const part of chosen) measured.push(await part.measure(context));
  const unasked = parts.filter((part) => !chosen.includes(part)).flatMap(({ figures }) => figures);
  return {
    rounds: Object.assign({}, ...measured.map(({ rounds }) => rounds)),
    leftOut: [
      ...measured.flatMap(({ leftOut }) => leftOut),
      ...unasked.map(({ name }) => ({ figure: name, reason: 'not asked for (--only)' })),
    ],
    notes: measured.flatMap(({ notes }) => notes),
  };
}

/** @throws BenchUsageError */
function choose(only: string | undefined): readonly InstallPart[] {
  if (only === undefined) return parts;
  return only.split(',').map((name) => {
    const part = parts.find((each) => each.name === name.trim());
    if (part === undefined) throw new BenchUsageError(`--only: expected some of ${names}, found ${name}`);
    return part;
  });
}
