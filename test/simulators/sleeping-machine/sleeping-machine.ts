import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { z } from 'zod';

/** A program that runs while the machine is awake. */
const programSchema = z.object({
  command: z.string(),
  args: z.array(z.string()),
  environment: z.record(z.string(), z.string()).default({}),
  logFile: z.string(),
  /** After the machine came up from off. */
  startsAfterMs: z.number().default(0),
});

export const sleepingMachineSchema = z.object({
  /** Of its network cards: a packet for another one leaves it asleep. */
  macs: z.array(z.string()).min(1),
  ports: z.array(z.number()).default([9, 7]),
  /** `0.0.0.0` takes broadcasts. */
  address: z.string().default('0.0.0.0'),
  programs: z.array(programSchema),
  /** What its agent would have done to its power, a line of JSON each: see the agent's recording of power calls. */
  powerCallsFile: z.string().nullable().default(null),
  /** From the packet to the first program. */
  wakesAfterMs: z.number().default(50),
  /** `deaf`: no packet wakes it; `silent`: it comes up, and its programs do not. */
  behaviour: z.enum(['wakes', 'deaf', 'silent']).default('wakes'),
  /** What it is in at first: off, or suspended once its programs have been started. */
  initially: z.enum(['off', 'awake']).default('off'),
});
export type SleepingMachineOptions = z.input<typeof sleepingMachineSchema>;

export type MachineState = 'off' | 'suspended' | 'waking' | 'awake';

export type MachineEvent =
  | { readonly event: 'listening'; readonly ports: readonly number[] }
  | { readonly event: 'packet'; readonly from: string; readonly port: number; readonly isMine: boolean }
  | { readonly event: 'state'; readonly state: MachineState; readonly because: string };

const END_GRACE_MS = 5_000;
/** Looked at this often for what its agent asked of the power switch. */
const LOOK_MS = 20;

/**
 * A workstation that waits for its magic packet on real UDP. Awake, it runs programs; suspended, they stand still with
 * their memory and their connections; off, they are gone. Whoever shares its network wakes it as a real one.
 */
export class SleepingMachine {
  readonly #options: z.output<typeof sleepingMachineSchema>;
  readonly #tell: (event: MachineEvent) => void;
  readonly #sockets: Socket[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #looking: NodeJS.Timeout | null = null;
  #callsRead = 0;
  #state: MachineState = 'off';

  constructor(options: SleepingMachineOptions, tell: (event: MachineEvent) => void = () => {}) {
    this.#options = sleepingMachineSchema.parse(options);
    this.#tell = tell;
  }

  get state(): MachineState {
    return this.#state;
  }

  /** @throws the system's error where a port is taken */
  async start(): Promise<void> {
    const ports: number[] = [];
    for (const port of this.#options.ports) {
      const socket = createSocket({ type: 'udp4', reuseAddr: true });
      socket.bind(port, this.#options.address);
      await once(socket, 'listening');
      socket.on('message', (message, { address }) => this.#hear(message, address, socket.address().port));
      this.#sockets.push(socket);
      ports.push(socket.address().port);
    }
    const { powerCallsFile } = this.#options;
    if (powerCallsFile !== null) {
      this.#callsRead = linesOf(powerCallsFile).length;
      this.#looking = setInterval(() => this.#look(powerCallsFile), LOOK_MS);
    }
    this.#tell({ event: 'listening', ports });
    if (this.#options.initially === 'awake') this.#comeUp('somebody pressed its button');
  }

  /** As its owner does. */
  pressButton(): void {
    if (this.#state === 'off' || this.#state === 'suspended') this.#comeUp('somebody pressed its button');
  }

  /** As its owner does: what runs may end by itself, and say goodbye. */
  async shutDown(): Promise<void> {
    await Promise.all(this.#children.map((child) => end(child, 'SIGTERM')));
    await this.#goDown('off', 'somebody shut it down');
  }

  /** The mains fail: nothing says goodbye. */
  async cutPower(): Promise<void> {
    await this.#goDown('off', 'its power was cut');
  }

  async close(): Promise<void> {
    if (this.#looking !== null) clearInterval(this.#looking);
    await this.#goDown('off', 'the test is over');
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
  }

  #hear(message: Uint8Array, from: string, port: number): void {
    const isMine = this.#options.macs.some((mac) => holdsMagic(message, mac));
    this.#tell({ event: 'packet', from, port, isMine });
    const sleeps = this.#state === 'off' || this.#state === 'suspended';
    if (isMine && sleeps && this.#options.behaviour !== 'deaf') this.#comeUp(`a packet of ${from}`);
  }

  #comeUp(because: string): void {
    const wasSuspended = this.#state === 'suspended';
    this.#enter('waking', because);
    this.#after(this.#options.wakesAfterMs, () => {
      this.#enter('awake', because);
      if (this.#options.behaviour === 'silent') return;
      if (wasSuspended) this.#signalAll('SIGCONT');
      else for (const program of this.#options.programs) this.#boot(program);
    });
  }

  #boot({ command, args, environment, logFile, startsAfterMs }: z.output<typeof programSchema>): void {
    this.#after(startsAfterMs, () => {
      const log = openSync(logFile, 'a');
      const child = spawn(command, args, {
        stdio: ['ignore', log, log],
        env: { ...process.env, ...environment },
        // A group of its own: what it started stands still and ends with it.
        detached: true,
      });
      closeSync(log);
      child.on('error', () => {});
      this.#children.push(child);
    });
  }

  #look(file: string): void {
    const lines = linesOf(file);
    const fresh = lines.slice(this.#callsRead);
    this.#callsRead = lines.length;
    for (const line of fresh) {
      const { verb } = JSON.parse(line) as { verb?: string };
      if (verb === 'suspend') void this.#goDown('suspended', 'its agent suspended it');
      if (verb === 'poweroff' || verb === 'hibernate') void this.#goDown('off', `its agent: ${verb}`);
      if (verb === 'reboot') void this.#goDown('off', 'its agent rebooted it').then(() => this.pressButton());
    }
  }

  async #goDown(to: 'off' | 'suspended', because: string): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (to === 'suspended') {
      this.#signalAll('SIGSTOP');
      this.#enter(to, because);
      return;
    }
    const children = this.#children.splice(0);
    this.#enter(to, because);
    await Promise.all(children.map((child) => end(child)));
  }

  #signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const child of this.#children) signalGroup(child, signal);
  }

  #enter(state: MachineState, because: string): void {
    this.#state = state;
    this.#tell({ event: 'state', state, because });
  }

  #after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}

function linesOf(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** One that does not end of itself is ended. */
async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, 'exit');
  signalGroup(child, signal);
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), END_GRACE_MS);
  await exit;
  clearTimeout(timer);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}

/** Six 0xFF and sixteen times the MAC, wherever in the packet. */
function holdsMagic(message: Uint8Array, mac: string): boolean {
  const address = Buffer.from(mac.replaceAll(':', ''), 'hex');
  const magic = Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => address)]);
  return Buffer.from(message).includes(magic);
}
