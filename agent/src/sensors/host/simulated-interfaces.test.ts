import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { simulatedInterfaceReader } from './simulated-interfaces.js';

const folder = mkdtempSync(join(tmpdir(), 'ai-fabric-test-'));
const file = join(folder, 'interfaces.json');

afterAll(() => rmSync(folder, { recursive: true }));

const card = {
  ...{ name: 'eth0', mac: '52:54:00:12:34:56', addresses: ['127.0.0.1/8'], kind: 'wired', gatewayMac: null },
  wake: { supported: true, armed: true, detail: 'Wake-on: g' },
};

it('are those of the file, each time as it is then', async () => {
  const read = simulatedInterfaceReader(file);
  writeFileSync(file, JSON.stringify([card]));
  expect(await read()).toEqual([{ facts: card, device: 'eth0' }]);
  writeFileSync(file, '[]');
  expect(await read()).toEqual([]);
});

it.each([
  ['[{}]', 'interfaces.json: 0.name'],
  [JSON.stringify([{ ...card, mac: 'x' }]), 'interfaces.json: 0.mac'],
  ['{}', 'interfaces.json'],
])('a file with %s is named', async (text, expected) => {
  writeFileSync(file, text);
  await expect(simulatedInterfaceReader(file)()).rejects.toThrow(expected);
});
