import { z } from 'zod';

/** A measured value, or `null` where the driver has none. Missing is never 0. */
const measured = z.number().nullable();

/** What a card is: read at start and hourly. */
export const gpuInventorySchema = z.object({
  uuid: z.string().min(1).max(80),
  index: z.int().min(0).max(255),
  name: z.string().max(120),
  pciBusId: z.string().max(40).nullable(),
  vramTotalBytes: measured,
  powerLimitWatts: measured,
  driverVersion: z.string().max(40).nullable(),
  cudaVersion: z.string().max(40).nullable(),
  migEnabled: z.boolean().nullable(),
});
export type GpuInventory = z.infer<typeof gpuInventorySchema>;

/** What a card does: read every second or two. Ratios are 0–1. */
export const gpuReadingSchema = z.object({
  utilisationRatio: measured,
  memoryUtilisationRatio: measured,
  vramUsedBytes: measured,
  vramTotalBytes: measured,
  temperatureCelsius: measured,
  memoryTemperatureCelsius: measured,
  powerWatts: measured,
  powerLimitWatts: measured,
  smClockMhz: measured,
  memoryClockMhz: measured,
  fanRatio: measured,
  performanceState: z.string().max(8).nullable(),
  /** NVML's clocks-event-reasons bit mask. */
  clocksEventReasonsMask: measured,
});
export type GpuReading = z.infer<typeof gpuReadingSchema>;
