import { z } from 'zod';
import { type GpuReading, gpuReadingSchema } from './gpu.js';
import { type HostReading, hostReadingSchema } from './host.js';
import { nameSchema } from './names.js';
import { type EngineReading, engineReadingSchema } from './replica.js';

/** One whole reading of a host. A card or replica that is not listed has no reading. */
export interface TelemetrySample {
  /** The agent's clock. The receiver places the sample by its age, never by this value alone. */
  atMs: number;
  host: HostReading;
  /** By card UUID. */
  gpus: Record<string, GpuReading>;
  /** By deployment name. */
  replicas: Record<string, EngineReading>;
}

/**
 * What changed since the sample before it on the same link. An absent field is unchanged, `null` is "no value",
 * a `null` card or replica is gone. The first on a link is complete.
 */
export const telemetryDeltaSchema = z.object({
  atMs: z.number(),
  host: hostReadingSchema.partial().optional(),
  gpus: z.record(z.string().max(80), gpuReadingSchema.partial().nullable()).optional(),
  replicas: z.record(nameSchema, engineReadingSchema.partial().nullable()).optional(),
});
export type TelemetryDelta = z.infer<typeof telemetryDeltaSchema>;
