import { diffTelemetry, type TelemetryDelta, type TelemetrySample } from '@ai-fabric/shared';

export interface PackedSamples {
  readonly deltas: readonly TelemetryDelta[];
  /** The sample that the receiver then holds. */
  readonly last: TelemetrySample | null;
}

/**
 * As many samples, from the first on, as fit one report: each as its difference to the one before it.
 *
 * @param before what the receiver holds; `null` on a new link
 * @param maxLength in characters of JSON; one sample is taken even if it alone is longer
 */
export function packSamples(
  before: TelemetrySample | null,
  samples: readonly TelemetrySample[],
  maxCount: number,
  maxLength: number,
): PackedSamples {
  const deltas: TelemetryDelta[] = [];
  let last = before;
  let length = 0;
  for (const sample of samples.slice(0, maxCount)) {
    const delta = diffTelemetry(last, sample);
    // A report of one, which most are, is not worth measuring.
    if (samples.length > 1) length += JSON.stringify(delta).length;
    if (length > maxLength && deltas.length > 0) break;
    deltas.push(delta);
    last = sample;
  }
  return { deltas, last };
}
