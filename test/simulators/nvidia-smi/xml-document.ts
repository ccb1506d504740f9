import { cardReading } from './card-reading.js';
import { DRIVERS } from './driver-generations.js';
import type { NvidiaSmiScenario } from './scenario.js';
import { cardElements } from './xml-card.js';
import { renderElement, type XmlElement } from './xml-element.js';

/** `nvidia-smi -q -x`. */
export function renderXml(
  scenario: NvidiaSmiScenario,
  moment: { readonly tick: number; readonly lost: boolean; readonly now: Date },
): string {
  const facts = DRIVERS[scenario.driver];
  const cards = scenario.cards.map((card, index): XmlElement => {
    const reading = cardReading(card, scenario.seed, index, moment.tick);
    const elements = cardElements(scenario, card, index, reading);
    return ['gpu', broken(scenario, card.uuid, elements, moment), ` id="${card.busId}"`];
  });
  const root: XmlElement = [
    'nvidia_smi_log',
    [
      ['timestamp', logTime(moment.now)],
      ...versions(scenario),
      ['attached_gpus', String(scenario.cards.length)],
      ...cards,
    ],
  ];
  return `<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "${facts.dtd}">\n${renderElement(root)}`;
}

function versions(scenario: NvidiaSmiScenario): XmlElement[] {
  const { versions: drivers, cudaVersion, newVersionNames } = DRIVERS[scenario.driver];
  const version = drivers[scenario.platform];
  if (!newVersionNames) {
    return [
      ['driver_version', version],
      ['cuda_version', cudaVersion],
    ];
  }
  return [
    ['driver_version', `${version} [Deprecated; will be removed]`],
    ['cuda_version', `${cudaVersion} [Deprecated; use CUDA UMD Version instead]`],
    ['kmd_version', version],
    ['cuda_umd_version', cudaVersion],
  ];
}

const IDENTITY = new Set(['product_name', 'product_brand', 'uuid', 'minor_number', 'serial', 'pci']);

/** Under a lost card, and where nothing is a number, every leaf but the identity says so. */
function broken(
  scenario: NvidiaSmiScenario,
  uuid: string,
  elements: readonly XmlElement[],
  moment: { readonly tick: number; readonly lost: boolean },
): readonly XmlElement[] {
  const { behaviour } = scenario;
  const lost = behaviour.kind === 'card_lost' && moment.lost && behaviour.uuid === uuid;
  if (!lost && behaviour.kind !== 'sentinels') return elements;
  return elements.map((element) => (IDENTITY.has(element[0]) ? element : withoutNumbers(element, lost)));
}

function withoutNumbers([name, content]: XmlElement, lost: boolean): XmlElement {
  if (typeof content === 'string') return [name, lost ? 'GPU is lost' : 'N/A'];
  return [name, content.map((child) => withoutNumbers(child, lost))];
}

/** `Mon Jun 22 23:04:18 2026`, local time. */
function logTime(now: Date): string {
  const [weekday, month, day, year, time] = now.toString().split(' ');
  return `${weekday} ${month} ${day} ${time} ${year}`;
}
