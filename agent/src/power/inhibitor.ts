import { type PowerChild, startPowerChild } from './power-child.js';

export interface InhibitorOptions {
  /** As logind names it: `sleep:idle`. */
  readonly what: string;
  /** `delay`: for some seconds (5, by default), so that something can be done before. */
  readonly mode: 'block' | 'delay';
  readonly why: string;
  readonly onEnd: (detail: string) => void;
  /** The program; by default systemd's. */
  readonly file?: string;
}

export interface Inhibitor {
  /** Ending it lets go. */
  readonly child: PowerChild;
  /** `null`: it holds; else why it does not. Resolves soon. */
  readonly started: Promise<string | null>;
}

/** One that is refused ends at once. */
const SETTLES_MS = 300;

/** An inhibitor of logind: it holds while its child reads from us, and so ends with this process. */
export function startInhibitor({
  what,
  mode,
  why,
  onEnd,
  file = 'systemd-inhibit',
}: InhibitorOptions): Inhibitor {
  let settle: (trouble: string | null) => void = () => undefined;
  const started = new Promise<string | null>((resolve) => {
    settle = resolve;
  });
  const args = [`--what=${what}`, `--mode=${mode}`, '--who=AI Fabric', `--why=${why}`, 'cat'];
  const child = startPowerChild({
    ...{ file, args },
    onEnd: (detail) => {
      settle(detail);
      onEnd(detail);
    },
  });
  setTimeout(() => settle(null), SETTLES_MS).unref();
  return { child, started };
}
