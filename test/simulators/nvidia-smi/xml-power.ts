import type { CardReading } from './card-reading.js';
import type { DriverFacts } from './driver-generations.js';
import type { SimulatedCard } from './scenario.js';
import { block, type XmlElement } from './xml-element.js';

/** The blocks that tell power. A module's block has the same child names as the card's, and no values. */
export function powerElements(
  style: DriverFacts['power'],
  card: SimulatedCard,
  reading: CardReading,
  powerState: string,
): XmlElement[] {
  const draw = `${reading.watts.toFixed(2)} W`;
  const average = `${reading.averageWatts.toFixed(2)} W`;
  const limit = `${card.powerLimitWatts.toFixed(2)} W`;
  const bounds = {
    default_power_limit: limit,
    min_power_limit: `${(card.powerLimitWatts / 2).toFixed(2)} W`,
    max_power_limit: limit,
  };
  if (style === 'single') {
    const { default_power_limit, ...rest } = bounds;
    const readings = {
      power_state: powerState,
      power_management: 'Supported',
      power_draw: draw,
      power_limit: limit,
      default_power_limit,
      enforced_power_limit: limit,
      ...rest,
    };
    return [block('power_readings', readings)];
  }
  const limits = { current_power_limit: limit, requested_power_limit: limit, ...bounds };
  const draws: Record<string, string> =
    style === 'draw' ? { power_draw: draw } : { average_power_draw: average, instant_power_draw: draw };
  const scoped = (
    name: string,
    drawn: Record<string, string>,
    limited: Record<string, string>,
  ): XmlElement => {
    const own = Object.entries({ power_state: powerState, ...drawn });
    if (style !== 'ceiling') return [name, [...own, ...Object.entries(limited)]];
    return [name, [...own, block('power_limit_ceiling', limited)]];
  };
  const memory = block('gpu_memory_power_readings', none(draws));
  return [
    scoped('gpu_power_readings', draws, limits),
    ...(style === 'draw' ? [] : [memory]),
    scoped('module_power_readings', none(draws), none(limits)),
  ];
}

function none(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, 'N/A']));
}
