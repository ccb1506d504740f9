import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type {
  MachineEvent,
  MachineState,
  SleepingMachineOptions,
} from '../../simulators/sleeping-machine/sleeping-machine.js';
import type { Lan, LanHost } from './lan.js';

/** Built, as the programs are. */
const PROGRAM = fileURLToPath(new URL('../../dist/simulators/sleeping-machine/main.js', import.meta.url));

/** A sleeping machine that is a host of the LAN: what wakes it crosses the bridge, or does not. */
export class LanSleeper {
  readonly events: MachineEvent[] = [];
  readonly #child: ChildProcess;
  readonly #lan: Lan;
  readonly #host: LanHost;
  #isSilent = false;
  #isClosing = false;

  constructor(lan: Lan, host: LanHost, options: SleepingMachineOptions) {
    this.#lan = lan;
    this.#host = host;
    this.#child = spawn('ip', ['netns', 'exec', host.namespace, process.execPath, PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (options.initially !== 'awake') this.#setSilent(true);
    this.#say(JSON.stringify(options));
    if (this.#child.stdout === null) throw new Error('a sleeping machine without standard output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as MachineEvent;
      this.events.push(event);
      if (event.event === 'state') this.#setSilent(event.state === 'off' || event.state === 'suspended');
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

  /** Its programs may say goodbye. */
  shutDown(): void {
    this.#say('shutdown');
  }

  /** Nobody hears of it. */
  cutPower(): void {
    this.#setSilent(true);
    this.#say('cut');
  }

  forgetEvents(): void {
    const states = this.events.filter(({ event }) => event === 'state').slice(-1);
    this.events.splice(0, this.events.length, ...states);
  }

  /** It ends what it started first. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#isClosing = true;
    const exit = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exit;
  }

  /** Its kernel, which runs on, would answer for it. */
  #setSilent(isSilent: boolean): void {
    if (isSilent === this.#isSilent || this.#isClosing) return;
    this.#isSilent = isSilent;
    if (isSilent) this.#lan.silence(this.#host);
    else this.#lan.unsilence(this.#host);
  }

  #say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }
}
