import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { isEverybodys, type OwnMachine } from './decide/is-own-machine.js';

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** As it is now: addresses come and go. */
export function readOwnMachine(): OwnMachine {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.filter(({ internal }) => !internal);
  return {
    macs: new Set(outer.map(({ mac }) => mac.toLowerCase())),
    addresses: new Set(outer.map(({ address }) => address).filter((address) => !isEverybodys(address))),
    bootId: readBootId(),
  };
}

function readBootId(): string | null {
  try {
    return readFileSync(BOOT_ID_FILE, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
