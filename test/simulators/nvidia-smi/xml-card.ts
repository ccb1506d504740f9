import type { CardReading } from './card-reading.js';
import { DRIVERS } from './driver-generations.js';
import type { NvidiaSmiScenario, SimulatedCard } from './scenario.js';
import { block, type XmlElement } from './xml-element.js';
import { powerElements } from './xml-power.js';

const DEPRECATED = 'Requested functionality has been deprecated';

/** The children of one `gpu`, named as the scenario's driver names them. */
export function cardElements(
  scenario: NvidiaSmiScenario,
  card: SimulatedCard,
  index: number,
  reading: CardReading,
): readonly XmlElement[] {
  const facts = DRIVERS[scenario.driver];
  const windows = scenario.platform === 'windows';
  const model = windows ? 'WDDM' : 'N/A';
  return [
    ['product_name', card.name],
    ['product_brand', card.serverCard ? 'NVIDIA' : 'GeForce'],
    ['product_architecture', card.architecture],
    ['display_mode', facts.deprecations ? DEPRECATED : 'Disabled'],
    ['display_active', 'Disabled'],
    ['persistence_mode', windows ? 'N/A' : 'Enabled'],
    ...migElements(card),
    ['accounting_mode', 'Disabled'],
    ['accounting_mode_buffer_size', '4000'],
    block('driver_model', { current_dm: model, pending_dm: model }),
    ['serial', card.serverCard ? '1650000000100' : 'N/A'],
    ['uuid', card.uuid],
    ['minor_number', windows ? 'N/A' : String(index)],
    ['vbios_version', '90.04.7A.40.73'],
    ['multigpu_board', 'No'],
    ['board_id', `0x${card.busId.slice(9, 11).toLowerCase()}00`],
    pciElement(card, reading),
    ['fan_speed', card.serverCard ? 'N/A' : `${reading.fanPercent} %`],
    ['performance_state', reading.idle ? 'P8' : 'P2'],
    reasonsElement(facts.eventReasons, reading),
    block('fb_memory_usage', {
      total: `${card.vramMib} MiB`,
      ...(scenario.driver >= 510 ? { reserved: `${reading.reservedMib} MiB` } : {}),
      used: `${reading.usedMib} MiB`,
      free: `${card.vramMib - reading.usedMib - reading.reservedMib} MiB`,
    }),
    block('bar1_memory_usage', { total: '256 MiB', used: '5 MiB', free: '251 MiB' }),
    ['compute_mode', 'Default'],
    utilizationElement(card, reading),
    block('ecc_mode', {
      current_ecc: card.serverCard ? 'Enabled' : 'N/A',
      pending_ecc: card.serverCard ? 'Enabled' : 'N/A',
    }),
    block('temperature', {
      gpu_temp: `${reading.celsius} C`,
      gpu_temp_max_threshold: '100 C',
      gpu_temp_slow_threshold: '97 C',
      memory_temp: card.serverCard ? `${reading.memoryCelsius} C` : 'N/A',
    }),
    ...powerElements(
      facts.power,
      card,
      reading,
      facts.deprecations ? DEPRECATED : reading.idle ? 'P8' : 'P2',
    ),
    clocksElement('clocks', reading.smMhz, reading.memoryMhz),
    applicationClocks(facts.deprecations),
    clocksElement('max_clocks', card.maxSmMhz, card.maxMemoryMhz),
    ['supported_clocks', 'N/A'],
    ['processes', []],
    ['accounted_processes', []],
  ];
}

function migElements(card: SimulatedCard): XmlElement[] {
  const off = card.serverCard ? 'Disabled' : 'N/A';
  const mode = card.migDevices.length > 0 ? 'Enabled' : off;
  const devices = card.migDevices.map(
    (slice, index): XmlElement => [
      'mig_device',
      [
        ['index', String(index)],
        ['gpu_instance_id', String(slice.gpuInstance)],
        ['compute_instance_id', '0'],
        block('fb_memory_usage', {
          total: `${slice.memoryMib} MiB`,
          reserved: '0 MiB',
          used: '16 MiB',
          free: `${slice.memoryMib - 16} MiB`,
        }),
      ],
    ],
  );
  return [
    block('mig_mode', { current_mig: mode, pending_mig: mode }),
    ['mig_devices', devices.length > 0 ? devices : '\n\t\t\tNone\n\t\t'],
  ];
}

function pciElement(card: SimulatedCard, reading: CardReading): XmlElement {
  const [domain = '', bus = '', device = ''] = card.busId.split(/[:.]/);
  return [
    'pci',
    [
      ['pci_bus', bus],
      ['pci_device', device],
      ['pci_domain', domain.slice(-4)],
      ['pci_bus_id', card.busId],
      [
        'pci_gpu_link_info',
        [
          block('pcie_gen', { max_link_gen: '3', current_link_gen: reading.idle ? '1' : '3' }),
          block('link_widths', { max_link_width: '16x', current_link_width: '16x' }),
        ],
      ],
      ['replay_counter', '0'],
    ],
  ];
}

function reasonsElement(eventReasons: boolean, reading: CardReading): XmlElement {
  const word = eventReasons ? 'clocks_event_reason' : 'clocks_throttle_reason';
  return block(`${word}s`, {
    [`${word}_gpu_idle`]: reading.idle ? 'Active' : 'Not Active',
    [`${word}_sw_power_cap`]: reading.capped ? 'Active' : 'Not Active',
    [`${word}_hw_slowdown`]: 'Not Active',
    [`${word}_sw_thermal_slowdown`]: 'Not Active',
  });
}

function utilizationElement(card: SimulatedCard, reading: CardReading): XmlElement {
  const percent = (value: number) => (card.migDevices.length > 0 ? 'N/A' : `${value} %`);
  return block('utilization', {
    gpu_util: percent(reading.gpuPercent),
    memory_util: percent(reading.memoryPercent),
    encoder_util: percent(0),
    decoder_util: percent(0),
  });
}

function applicationClocks(deprecations: boolean): XmlElement {
  const clock = deprecations ? DEPRECATED : 'N/A';
  return block('applications_clocks', { graphics_clock: clock, mem_clock: clock });
}

function clocksElement(name: string, smMhz: number, memoryMhz: number): XmlElement {
  return block(name, {
    graphics_clock: `${smMhz} MHz`,
    sm_clock: `${smMhz} MHz`,
    mem_clock: `${memoryMhz} MHz`,
    video_clock: `${Math.round(smMhz * 0.9)} MHz`,
  });
}
