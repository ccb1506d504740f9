/** What a queried field fills: an identity of the row, or a field of `GpuReading`. */
export type QueryColumn =
  | 'uuid'
  | 'index'
  | 'busId'
  | 'temperatureCelsius'
  | 'memoryTemperatureCelsius'
  | 'utilisationRatio'
  | 'memoryUtilisationRatio'
  | 'vramTotalBytes'
  | 'vramUsedBytes'
  | 'powerWatts'
  | 'powerLimitWatts'
  | 'smClockMhz'
  | 'memoryClockMhz'
  | 'fanRatio'
  | 'performanceState'
  | 'clocksEventReasonsMask';

export interface QueryField {
  /** The driver's spelling. */
  readonly name: string;
  readonly column: QueryColumn;
}

/** The wanted columns, each with the driver's spellings, preferred first. Older drivers know only the later ones. */
const SPELLINGS: readonly (readonly [QueryColumn, readonly string[]])[] = [
  ['uuid', ['uuid', 'gpu_uuid']],
  ['index', ['index']],
  ['busId', ['pci.bus_id', 'gpu_bus_id']],
  ['temperatureCelsius', ['temperature.gpu']],
  ['memoryTemperatureCelsius', ['temperature.memory']],
  ['utilisationRatio', ['utilization.gpu']],
  ['memoryUtilisationRatio', ['utilization.memory']],
  ['vramTotalBytes', ['memory.total']],
  ['vramUsedBytes', ['memory.used']],
  ['powerWatts', ['power.draw', 'power.draw.instant']],
  ['powerLimitWatts', ['enforced.power.limit', 'power.limit']],
  ['smClockMhz', ['clocks.sm', 'clocks.current.sm']],
  ['memoryClockMhz', ['clocks.mem', 'clocks.current.memory']],
  ['fanRatio', ['fan.speed']],
  ['performanceState', ['pstate']],
  ['clocksEventReasonsMask', ['clocks_event_reasons.active', 'clocks_throttle_reasons.active']],
];

/**
 * What to ask for, given the spellings that this driver has refused: one unknown field fails its whole command.
 *
 * @returns `null` when no spelling of the card's UUID is left: without it no row can be told from another
 */
export function planQueryFields(refused: ReadonlySet<string>): readonly QueryField[] | null {
  const plan: QueryField[] = [];
  for (const [column, names] of SPELLINGS) {
    const name = names.find((spelling) => !refused.has(spelling));
    if (name !== undefined) plan.push({ name, column });
    else if (column === 'uuid') return null;
  }
  return plan;
}
