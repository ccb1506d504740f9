import type { CardReading } from './card-reading.js';
import { DRIVERS } from './driver-generations.js';
import type { NvidiaSmiScenario, SimulatedCard } from './scenario.js';

export interface FieldContext {
  readonly scenario: NvidiaSmiScenario;
  readonly card: SimulatedCard;
  readonly index: number;
  readonly reading: CardReading;
  readonly now: Date;
}

export interface QueryField {
  /** The name in the header first, then its other spellings. */
  readonly names: readonly string[];
  readonly unit: '' | '%' | 'MiB' | 'W' | 'MHz';
  /** What stays the same while the card is there: also said of a lost one. */
  readonly identity: boolean;
  /** `null`: this card has none. */
  readonly value: (context: FieldContext) => string | null;
}

interface Row extends QueryField {
  readonly since: number;
  readonly until: number;
}

const DEPRECATED = '[Requested functionality has been deprecated]';
const mig = ({ card }: FieldContext) => card.migDevices.length > 0;
const deprecated = ({ scenario }: FieldContext) => DRIVERS[scenario.driver].deprecations;
const version = ({ scenario }: FieldContext) => DRIVERS[scenario.driver].versions[scenario.platform];
const windows = ({ scenario }: FieldContext) => scenario.platform === 'windows';
const watts = (value: number) => value.toFixed(2);
/** NVML's mask: 1 idle, 4 held by the power cap. */
const reasons = ({ reading }: FieldContext) =>
  `0x000000000000000${reading.idle ? 1 : reading.capped ? 4 : 0}`;

/** The fields of `--query-gpu` that the simulator knows, in the order of the tool's help. */
const ROWS: readonly Row[] = [
  identity(['timestamp'], ({ now }) => csvTime(now)),
  identity(['driver_version'], version),
  identity(['kmd_version'], version, 595),
  identity(['count'], ({ scenario }) => String(scenario.cards.length)),
  identity(['name', 'gpu_name'], ({ card }) => card.name),
  identity(['serial', 'gpu_serial'], ({ card }) => (card.serverCard ? '1650000000100' : null)),
  identity(['uuid', 'gpu_uuid'], ({ card }) => card.uuid),
  identity(['pci.bus_id', 'gpu_bus_id'], ({ card }) => card.busId),
  identity(['pci.domain'], ({ card }) => `0x${card.busId.slice(4, 8)}`),
  identity(['pci.bus'], ({ card }) => `0x${card.busId.slice(9, 11)}`),
  identity(['pci.device'], ({ card }) => `0x${card.busId.slice(12, 14)}`),
  moving(['pcie.link.gen.current'], '', ({ reading }) => (reading.idle ? '1' : '3')),
  moving(['pcie.link.gen.gpucurrent'], '', ({ reading }) => (reading.idle ? '1' : '3'), 525),
  moving(['pcie.link.gen.max'], '', () => '3'),
  moving(['pcie.link.width.current'], '', () => '16'),
  moving(['pcie.link.width.max'], '', () => '16'),
  identity(['index'], ({ index }) => String(index)),
  moving(['display_mode'], '', (context) => (deprecated(context) ? DEPRECATED : 'Disabled')),
  moving(['display_attached'], '', () => 'No', 570),
  moving(['display_active'], '', () => 'Disabled'),
  moving(['persistence_mode'], '', (context) => (windows(context) ? null : 'Enabled')),
  moving(['driver_model.current'], '', (context) => (windows(context) ? 'WDDM' : null)),
  moving(['driver_model.pending'], '', (context) => (windows(context) ? 'WDDM' : null)),
  moving(['vbios_version'], '', () => '90.04.7A.40.73'),
  moving(['fan.speed'], '%', ({ card, reading }) => (card.serverCard ? null : String(reading.fanPercent))),
  moving(['pstate'], '', ({ reading }) => (reading.idle ? 'P8' : 'P2')),
  { ...moving(['clocks_throttle_reasons.supported'], '', () => '0x00000000000001FF'), until: 569 },
  { ...moving(['clocks_throttle_reasons.active'], '', reasons), until: 569 },
  moving(
    ['clocks_event_reasons.supported', 'clocks_throttle_reasons.supported'],
    '',
    () => '0x00000000000001FF',
    570,
  ),
  moving(['clocks_event_reasons.active', 'clocks_throttle_reasons.active'], '', reasons, 570),
  moving(['memory.total'], 'MiB', ({ card }) => String(card.vramMib)),
  moving(['memory.reserved'], 'MiB', ({ reading }) => String(reading.reservedMib), 510),
  moving(['memory.used'], 'MiB', ({ reading }) => String(reading.usedMib)),
  moving(['memory.free'], 'MiB', ({ card, reading }) =>
    String(card.vramMib - reading.usedMib - reading.reservedMib),
  ),
  moving(['compute_mode'], '', () => 'Default'),
  moving(['compute_cap'], '', ({ card }) => card.computeCapability, 510),
  moving(['utilization.gpu'], '%', (context) => (mig(context) ? null : String(context.reading.gpuPercent))),
  moving(['utilization.memory'], '%', (context) =>
    mig(context) ? null : String(context.reading.memoryPercent),
  ),
  moving(['utilization.encoder'], '%', (context) => (mig(context) ? null : '0'), 535),
  moving(['utilization.decoder'], '%', (context) => (mig(context) ? null : '0'), 535),
  moving(['ecc.mode.current'], '', ({ card }) => (card.serverCard ? 'Enabled' : null)),
  moving(['ecc.errors.corrected.volatile.total'], '', ({ card }) => (card.serverCard ? '0' : null)),
  moving(['ecc.errors.uncorrected.volatile.total'], '', ({ card }) => (card.serverCard ? '0' : null)),
  moving(['temperature.gpu'], '', ({ reading }) => String(reading.celsius)),
  moving(
    ['temperature.gpu.tlimit'],
    '',
    ({ card, reading }) => (card.serverCard ? String(87 - reading.celsius) : null),
    535,
  ),
  // The one field that says its absence without brackets.
  moving(['temperature.memory'], '', ({ card, reading }) =>
    card.serverCard ? String(reading.memoryCelsius) : 'N/A',
  ),
  moving(['power.management'], '', (context) => (deprecated(context) ? DEPRECATED : 'Enabled')),
  moving(['power.draw'], 'W', ({ reading }) => watts(reading.watts)),
  moving(
    ['power.draw.average', 'gpu.power.draw.average'],
    'W',
    ({ reading }) => watts(reading.averageWatts),
    535,
  ),
  moving(['power.draw.instant', 'gpu.power.draw.instant'], 'W', ({ reading }) => watts(reading.watts), 535),
  moving(['power.limit'], 'W', ({ card }) => watts(card.powerLimitWatts)),
  moving(['enforced.power.limit'], 'W', ({ card }) => watts(card.powerLimitWatts)),
  moving(['power.default_limit'], 'W', ({ card }) => watts(card.powerLimitWatts)),
  moving(['power.min_limit'], 'W', ({ card }) => watts(card.powerLimitWatts / 2)),
  moving(['power.max_limit'], 'W', ({ card }) => watts(card.powerLimitWatts)),
  moving(['module.power.draw.average'], 'W', () => null, 570),
  moving(['clocks.current.graphics', 'clocks.gr'], 'MHz', ({ reading }) => String(reading.smMhz)),
  moving(['clocks.current.sm', 'clocks.sm'], 'MHz', ({ reading }) => String(reading.smMhz)),
  moving(['clocks.current.memory', 'clocks.mem'], 'MHz', ({ reading }) => String(reading.memoryMhz)),
  moving(['clocks.max.sm'], 'MHz', ({ card }) => String(card.maxSmMhz)),
  moving(['clocks.max.memory', 'clocks.max.mem'], 'MHz', ({ card }) => String(card.maxMemoryMhz)),
  moving(['mig.mode.current'], '', (context) => (mig(context) ? 'Enabled' : migMode(context.card))),
  moving(['mig.mode.pending'], '', (context) => (mig(context) ? 'Enabled' : migMode(context.card))),
];

/** The fields that this driver knows. */
export function knownFields(driver: number): readonly QueryField[] {
  return ROWS.filter((row) => row.since <= driver && driver <= row.until);
}

/** `2026/06/22 23:04:18.311`, local time. */
function csvTime(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())}`;
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  return `${date} ${time}.${String(now.getMilliseconds()).padStart(3, '0')}`;
}

function migMode(card: SimulatedCard): string | null {
  return card.serverCard ? 'Disabled' : null;
}

function identity(names: readonly string[], value: QueryField['value'], since = 0): Row {
  return { names, unit: '', identity: true, value, since, until: Number.POSITIVE_INFINITY };
}

function moving(
  names: readonly string[],
  unit: QueryField['unit'],
  value: QueryField['value'],
  since = 0,
): Row {
  return { names, unit, identity: false, value, since, until: Number.POSITIVE_INFINITY };
}
