import { createSocket } from 'node:dgram';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { magicPacket } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../harness/temporary-directory.js';
import { eventually } from '../common/eventually.js';
import { type MachineEvent, SleepingMachine, type SleepingMachineOptions } from './sleeping-machine.js';

const MAC = '52:54:00:12:34:56';
/** Counts, a line every 10 ms, for as long as it lives and runs. */
const COUNT = 'let n = 0; setInterval(() => console.log(n++), 10)';

const home = temporaryDirectory();
const logFile = join(home.path, 'count.log');
const powerCallsFile = join(home.path, 'power-calls');
let machine: SleepingMachine | null = null;
const events: MachineEvent[] = [];

afterEach(async () => {
  await machine?.close();
  machine = null;
  events.length = 0;
});

async function start(more: Partial<SleepingMachineOptions> = {}): Promise<number> {
  const count = { command: process.execPath, args: ['-e', COUNT], logFile };
  machine = new SleepingMachine(
    {
      macs: [MAC],
      ports: [0],
      address: '127.0.0.1',
      powerCallsFile,
      programs: [count],
      wakesAfterMs: 5,
      ...more,
    },
    (event) => events.push(event),
  );
  await machine.start();
  const [listening] = events;
  if (listening?.event !== 'listening') throw new Error('it does not listen');
  return listening.ports[0] as number;
}

async function send(port: number, bytes: Uint8Array): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
  socket.close();
}

const linesCounted = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').length : 0);

async function countsOn(): Promise<void> {
  const before = linesCounted();
  await eventually('it counts on', () => linesCounted() > before + 2);
}

const stateIs = (state: string) => eventually(`it is ${state}`, () => machine?.state === state);

describe('a sleeping machine', () => {
  it('wakes on its own packet alone, suspends with its programs, and wakes with them', async () => {
    const port = await start();
    await send(port, magicPacket('52:54:00:12:34:57'));
    await send(port, new Uint8Array(102));
    await eventually('it heard both', () => events.filter(({ event }) => event === 'packet').length === 2);
    expect(machine?.state).toBe('off');
    await send(port, magicPacket(MAC));
    await stateIs('awake');
    await countsOn();
    appendFileSync(powerCallsFile, '{"verb":"suspend"}\n');
    await stateIs('suspended');
    const stood = linesCounted();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(linesCounted()).toBe(stood);
    await send(port, magicPacket(MAC));
    await stateIs('awake');
    await countsOn();
  });

  it('is off without a goodbye when its power is cut, and comes up at its button', async () => {
    await start({ initially: 'awake' });
    await countsOn();
    await machine?.cutPower();
    expect(machine?.state).toBe('off');
    machine?.pressButton();
    await countsOn();
  });

  it.each([
    ['deaf', 'off'],
    ['silent', 'awake'],
  ] as const)('that is %s is %s after its packet, and runs nothing', async (behaviour, state) => {
    const port = await start({ behaviour });
    const before = linesCounted();
    await send(port, magicPacket(MAC));
    await eventually('it heard it', () => events.some(({ event }) => event === 'packet'));
    await stateIs(state);
    expect(linesCounted()).toBe(before);
  });
});
