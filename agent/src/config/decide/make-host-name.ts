import { nameSchema } from '@ai-fabric/shared';

const NOT_ALLOWED = /[^a-z0-9._-]+/g;
const NOT_A_START = /^[^a-z0-9]+/;
const MAX_LENGTH = 63;

/** The machine's own name as the fabric may use it: the first label, lower-case ("MOTOKO.local" → "motoko"). */
export function makeHostName(machineName: string): string {
  const [label = ''] = machineName.toLowerCase().split('.');
  const name = label
    .replace(NOT_ALLOWED, '-')
    .replace(NOT_A_START, '')
    .slice(0, MAX_LENGTH)
    .replace(/-+$/, '');
  return nameSchema.safeParse(name).success ? name : 'host';
}
