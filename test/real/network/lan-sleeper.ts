import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type {
  MachineEvent,
  MachineState,
  SleepingMachineOptions,
} from '../../simulators/sleeping-machine/sleeping-machine.js';
import type { LanHost } from './lan.js';

/** Built, as the programs are. */
const PROGRAM = fileURLToPath(new URL('../../dist/simulators/sleeping-machine/main.js', import.meta.url));

/** A sleeping machine that is a host of the LAN: what wakes it crosses the bridge, or does not. */
export class LanSleeper {
  readonly events: MachineEvent[] = [];
  readonly #child: ChildProcess;

  constructor(host: LanHost, options: SleepingMachineOptions) {
    this.#child = spawn('ip', ['netns', 'exec', host.namespace, process.execPath, PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#say(JSON.stringify(options));
    if (this.#child.stdout === null) throw new Error('a sleeping machine without standard output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as MachineEvent);
    });
  }

  get isListening(): boolean {
    return this.events.some(({ event }) => event === 'listening');
  }

  get state(): MachineState {
    const last = this.events.findLast((each) => each.event === 'state');
    return last?.event === 'state' ? last.state : 'off';
  }

  /** Packets with its own MAC in them. */
  get packets(): readonly Extract<MachineEvent, { event: 'packet' }>[] {
    return this.events.filter((each) => each.event === 'packet').filter(({ isMine }) => isMine);
  }

  pressButton(): void {
    this.#say('button');
  }

  cutPower(): void {
    this.#say('cut');
  }

  /** It ends what it started first. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exit;
  }

  #say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }
}
