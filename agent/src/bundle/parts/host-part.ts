import { networkInterfaces } from 'node:os';
import type { HostFacts } from '../../sensors/host/host-inventory.js';
import type { Sensor } from '../../sensors/sensor.js';
import type { BundlePart } from '../gather-bundle.js';
import { takeFile, toJson } from './part-tools.js';

const DEADLINE_MS = 40_000;
const ROUTES = ['/proc/net/route', '/proc/net/ipv6_route'] as const;

/** The machine: system, kernel, memory, network interfaces and what wakes it. */
export function hostPart(inventory: Sensor<HostFacts>, platform: NodeJS.Platform): BundlePart {
  return {
    title: 'system and network',
    deadlineMs: DEADLINE_MS,
    gather: async (findings, signal) => {
      findings.file({
        name: 'host/network.json',
        text: toJson(networkInterfaces()),
        source: 'the addresses of this machine',
      });
      if (platform === 'linux') {
        for (const path of ROUTES) await takeFile(findings, `host/${path.split('/').at(-1)}.txt`, path);
        await takeFile(findings, 'host/driver.txt', '/proc/driver/nvidia/version');
      }
      const facts = await inventory.read(signal);
      if (facts.ok)
        findings.file({ name: 'host/host.json', text: toJson(facts.reading), source: 'the inventory' });
      else findings.lack('host/host.json', facts.issue.detail);
    },
  };
}
