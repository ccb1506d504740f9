import type { PowerVerb } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { RunTool } from '../identity/run-tool.js';
import { readPowerError } from './decide/read-power-error.js';
import { type PowerChild, startPowerChild } from './power-child.js';
import { PowerError, type PowerPort } from './power-port.js';

export interface LinuxPowerOptions {
  readonly runTool: RunTool;
  readonly log: Logger;
}

/** An inhibitor that is refused ends at once. */
const HOLD_SETTLES_MS = 300;

/** systemd's way: logind asks polkit, so that an agent need not be root. A hold is an inhibitor's child. */
export function linuxPower({ runTool, log }: LinuxPowerOptions): PowerPort {
  let holder: PowerChild | null = null;
  const release = (): void => {
    holder?.end();
    holder = null;
  };
  return {
    act: async (verb) => {
      // Our own hold would be in the way.
      release();
      await systemctl(runTool, verb);
    },
    hold: async () => {
      if (holder !== null) return;
      const { child, failed } = startHold();
      holder = child;
      const trouble = await failed;
      if (trouble === null) return;
      if (holder === child) holder = null;
      log.warn({ detail: trouble }, 'power: the machine cannot be held awake');
      throw new PowerError('power_failed', `The machine cannot be held awake: ${trouble}`);
    },
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

function startHold(): { readonly child: PowerChild; readonly failed: Promise<string | null> } {
  const why = ['--who=AI Fabric', '--why=The fabric uses this machine'];
  const args = ['--what=sleep:idle', '--mode=block', ...why, 'cat'];
  let settle: (trouble: string | null) => void = () => undefined;
  const failed = new Promise<string | null>((resolve) => {
    settle = resolve;
  });
  const child = startPowerChild({ file: 'systemd-inhibit', args, onEnd: (detail) => settle(detail) });
  setTimeout(() => settle(null), HOLD_SETTLES_MS).unref();
  return { child, failed };
}
