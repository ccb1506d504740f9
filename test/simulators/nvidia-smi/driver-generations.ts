export const DRIVER_GENERATIONS = [470, 525, 535, 570, 580, 610] as const;
export type DriverGeneration = (typeof DRIVER_GENERATIONS)[number];

export interface DriverFacts {
  readonly versions: { readonly linux: string; readonly windows: string };
  readonly cudaVersion: string;
  readonly dtd: string;
  /** `clocks_event_reasons`; before that `clocks_throttle_reasons`. */
  readonly eventReasons: boolean;
  /**
   * How the XML tells power: `single` one `power_readings` (to 525); `draw` a block per scope (535); `split` average and
   * instant draws, no plain one (570); `ceiling` the limits one level deeper (610).
   */
  readonly power: 'single' | 'draw' | 'split' | 'ceiling';
  /** Display mode, power state and application clocks answer "Requested functionality has been deprecated". */
  readonly deprecations: boolean;
  /** `kmd_version` and `cuda_umd_version` beside the versions that are marked as deprecated. */
  readonly newVersionNames: boolean;
}

/**
 * What differs between drivers. Seen in captures of 515 to 595 and in issue threads; of 610 only that its limits lie
 * under a "ceiling" block is known, not that block's name.
 */
export const DRIVERS: Readonly<Record<DriverGeneration, DriverFacts>> = {
  470: driver('470.256.02', '472.12', '11.4', { dtd: 'nvsmi_device_v11.dtd', power: 'single' }),
  525: driver('525.147.05', '528.49', '12.0', { power: 'single' }),
  535: driver('535.183.01', '537.58', '12.2', { power: 'draw' }),
  570: driver('570.172.08', '573.48', '12.8', { power: 'split', eventReasons: true }),
  580: driver('580.95.05', '581.57', '13.0', { power: 'split', eventReasons: true, deprecations: true }),
  610: driver('610.57.04', '610.88', '13.3', {
    power: 'ceiling',
    eventReasons: true,
    deprecations: true,
    newVersionNames: true,
  }),
};

function driver(
  linux: string,
  windows: string,
  cudaVersion: string,
  facts: Partial<DriverFacts> & Pick<DriverFacts, 'power'>,
): DriverFacts {
  return {
    versions: { linux, windows },
    cudaVersion,
    dtd: 'nvsmi_device_v12.dtd',
    eventReasons: false,
    deprecations: false,
    newVersionNames: false,
    ...facts,
  };
}
