import { z } from 'zod';
import { hostPolicySchema } from './agent-policy.js';
import { gpuInventorySchema } from './gpu.js';
import { hostPowerFactsSchema, wakeArmingSchema } from './power.js';

const measured = z.number().nullable();

export const operatingSystemSchema = z.enum(['linux', 'windows', 'other']);
export type OperatingSystem = z.infer<typeof operatingSystemSchema>;

/** A physical network interface: everything a later wake needs, so that nobody types it. */
export const networkInterfaceSchema = z.object({
  name: z.string().max(80),
  mac: z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
  /** Addresses with their prefix length, as in "192.0.2.7/24". */
  addresses: z.array(z.string().max(64)).max(16),
  kind: z.enum(['wired', 'wireless', 'unknown']),
  /** The default gateway's MAC: names the LAN. `null` when this interface has no default route or it is not resolved. */
  gatewayMac: z.string().max(17).nullable(),
  /** Left out by an agent that has not looked yet, or is older. */
  wake: wakeArmingSchema.optional(),
});
export type NetworkInterface = z.infer<typeof networkInterfaceSchema>;

/** Docker or Podman, as the agent found it last. */
export const containerEngineReportSchema = z.discriminatedUnion('reachable', [
  z.object({
    reachable: z.literal(true),
    /** `docker` or `podman`. */
    flavour: z.string().max(40),
    version: z.string().max(80),
    rootless: z.boolean(),
    /** Docker Desktop: it is there while a user is signed in. */
    desktop: z.boolean(),
  }),
  z.object({
    reachable: z.literal(false),
    /** Of the issue that it would be for a replica. */
    code: z.string().max(60),
    detail: z.string().max(500),
  }),
]);
export type ContainerEngineReport = z.infer<typeof containerEngineReportSchema>;

/** What a host is: sent on connect, on change and every five minutes. */
export const hostInventorySchema = z.object({
  os: operatingSystemSchema,
  osName: z.string().max(120),
  kernel: z.string().max(120),
  architecture: z.string().max(20),
  cpuModel: z.string().max(120),
  cpuThreads: z.int().min(1),
  memoryTotalBytes: z.number(),
  /** Changes with every boot. */
  bootId: z.string().max(80),
  bootedAtMs: z.number(),
  interfaces: z.array(networkInterfaceSchema).max(32),
  gpus: z.array(gpuInventorySchema).max(32),
  /** What its owner lets the control plane do with it. Left out by an agent that keeps no containers, or is older. */
  policy: hostPolicySchema.optional(),
  /** Left out by an agent that keeps no containers, has not looked yet, or is older. */
  containerEngine: containerEngineReportSchema.optional(),
  /** Left out by an agent that has not looked yet, or is older. */
  power: hostPowerFactsSchema.optional(),
});
export type HostInventory = z.infer<typeof hostInventorySchema>;

/** What a host does: read every second or two. Rates are per second. */
export const hostReadingSchema = z.object({
  cpuRatio: measured,
  memoryUsedBytes: measured,
  memoryTotalBytes: measured,
  diskUsedBytes: measured,
  diskTotalBytes: measured,
  networkReceivedBytesPerSecond: measured,
  networkSentBytesPerSecond: measured,
});
export type HostReading = z.infer<typeof hostReadingSchema>;
