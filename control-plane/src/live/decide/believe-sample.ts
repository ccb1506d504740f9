import type { EngineReading, TelemetrySample } from '@ai-fabric/shared';

/** The sample without readings of what is not declared on its host. The same value where all of it is believed. */
export function believeSample(sample: TelemetrySample, declaredHere: ReadonlySet<string>): TelemetrySample {
  let refused = false;
  for (const deployment of Object.keys(sample.replicas)) {
    if (!declaredHere.has(deployment)) refused = true;
  }
  if (!refused) return sample;
  const replicas: Record<string, EngineReading> = {};
  for (const [deployment, reading] of Object.entries(sample.replicas)) {
    if (declaredHere.has(deployment)) replicas[deployment] = reading;
  }
  return { ...sample, replicas };
}
