import type { PowerVerb } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { RunTool } from '../identity/run-tool.js';
import { readPowerError } from './decide/read-power-error.js';
import { startInhibitor } from './inhibitor.js';
import type { PowerChild } from './power-child.js';
import { PowerError, type PowerPort } from './power-port.js';

export interface LinuxPowerOptions {
  readonly runTool: RunTool;
  readonly log: Logger;
  /** The program; by default systemd's. */
  readonly inhibit?: string;
}

/** systemd's way: logind asks polkit, so that an agent need not be root. A hold is an inhibitor's child. */
export function linuxPower({ runTool, log, inhibit }: LinuxPowerOptions): PowerPort {
  let holder: PowerChild | null = null;
  const release = (): void => {
    const held = holder;
    holder = null;
    held?.end();
  };
  const hold = async (): Promise<void> => {
    if (holder !== null) return;
    const why = 'The fabric uses this machine';
    const { child, started } = startInhibitor({
      ...{ what: 'sleep:idle', mode: 'block', why, ...(inhibit === undefined ? {} : { file: inhibit }) },
      onEnd: (detail) => {
        if (holder !== child) return;
        holder = null;
        log.warn({ detail }, 'power: the machine is not held awake any more');
      },
    });
    holder = child;
    const trouble = await started;
    if (trouble !== null)
      throw new PowerError('power_failed', `The machine cannot be held awake: ${trouble}`);
  };
  return {
    act: async (verb) => {
      // Our own hold would be in the way.
      release();
      await systemctl(runTool, verb);
    },
    hold,
    release,
    close: release,
  };
}

async function systemctl(runTool: RunTool, verb: PowerVerb): Promise<void> {
  try {
    await runTool('systemctl', [verb, '--no-ask-password']);
  } catch (error) {
    throw readPowerError(verb, String(error instanceof Error ? error.message : error));
  }
}
