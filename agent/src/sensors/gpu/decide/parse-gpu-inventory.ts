import type { GpuInventory } from '@ai-fabric/shared';
import { normaliseBusId } from './normalise-bus-id.js';
import { BYTES_PER_MIB, parseSmiQuantity, parseSmiText, parseSmiVersion } from './parse-smi-value.js';

/** What `node-nvidia-smi` made of `nvidia-smi -q -x`. */
export interface ParsedInventory {
  readonly gpus: readonly GpuInventory[];
  /** Cards in the log without a UUID: lost ones. */
  readonly skipped: number;
}

type Element = Readonly<Record<string, unknown>>;

const MAX_CARDS = 32;
const UUID = /^GPU-[0-9A-Za-z-]{1,76}$/;
const POWER_PARENTS = ['gpu_power_readings', 'power_readings'];
const POWER_LIMITS = ['current_power_limit', 'enforced_power_limit', 'power_limit', 'requested_power_limit'];

/**
 * Reads the object of any driver from 418 on. The log's own version says nothing about its names, so each value has
 * a list of them and the first that has a value wins, only ever under its own parent: `module_power_readings` uses
 * the same names for something else. Elements come as text, as an object of children, or, where they repeat, as an
 * array; one card is an object, several are an array.
 *
 * @returns `null` when this is no log of nvidia-smi at all
 */
export function parseGpuInventory(data: unknown): ParsedInventory | null {
  const log = childOf(asElement(data), 'nvidia_smi_log');
  if (log === null) return null;
  const driverVersion = firstOf(log, ['kmd_version', 'driver_version'], parseSmiVersion);
  const cudaVersion = firstOf(log, ['cuda_umd_version', 'cuda_version'], parseSmiVersion);
  const found = memberOf(log, 'gpu');
  const cards = (Array.isArray(found) ? found : [found]).slice(0, MAX_CARDS).map(asElement);
  const gpus: GpuInventory[] = [];
  let skipped = 0;
  cards.forEach((card, index) => {
    if (card === null) return;
    const gpu = parseCard(card, index, driverVersion, cudaVersion);
    if (gpu === null) skipped += 1;
    else gpus.push(gpu);
  });
  return { gpus, skipped };
}

function parseCard(
  card: Element,
  index: number,
  driverVersion: string | null,
  cudaVersion: string | null,
): GpuInventory | null {
  const uuid = textOf(memberOf(card, 'uuid'))?.trim();
  if (uuid === undefined || !UUID.test(uuid)) return null;
  const pci = childOf(card, 'pci');
  const busId = textOf(memberOf(pci, 'pci_bus_id')) ?? textOf(memberOf(childOf(card, '$'), 'id')) ?? '';
  return {
    uuid,
    // The log lists cards in the order of their index and does not print it; `minor_number` is another number.
    index,
    name: firstOf(card, ['product_name'], (text) => parseSmiText(text, 120)) ?? 'NVIDIA GPU',
    pciBusId: normaliseBusId(busId),
    vramTotalBytes: firstOf(childOf(card, 'fb_memory_usage'), ['total'], (text) =>
      parseSmiQuantity(text, 1, 2 ** 24, BYTES_PER_MIB),
    ),
    powerLimitWatts: powerLimit(card),
    driverVersion,
    cudaVersion,
    migEnabled: firstOf(childOf(card, 'mig_mode'), ['current_mig'], onOrOff),
  };
}

function powerLimit(card: Element): number | null {
  for (const name of POWER_PARENTS) {
    const parent = childOf(card, name);
    const limit = firstOf(parent, POWER_LIMITS, watts) ?? nestedPowerLimit(parent);
    if (limit !== null) return limit;
  }
  return null;
}

/** From 610 on the limits stand one level deeper, in blocks of their own. */
function nestedPowerLimit(parent: Element | null): number | null {
  for (const [name, value] of Object.entries(parent ?? {})) {
    const block = /limit|ceiling/i.test(name) ? asElement(value) : null;
    const limit = firstOf(block, POWER_LIMITS, watts);
    if (limit !== null) return limit;
  }
  return null;
}

function watts(text: string): number | null {
  return parseSmiQuantity(text, 0, 20_000, 1);
}

function onOrOff(text: string): boolean | null {
  const value = text.trim().toLowerCase();
  return value === 'enabled' ? true : value === 'disabled' ? false : null;
}

function firstOf<Value>(
  parent: Element | null,
  names: readonly string[],
  parse: (text: string) => Value | null,
): Value | null {
  for (const name of names) {
    const text = textOf(memberOf(parent, name));
    const value = text === null ? null : parse(text);
    if (value !== null) return value;
  }
  return null;
}

function childOf(parent: Element | null, name: string): Element | null {
  return asElement(memberOf(parent, name));
}

function memberOf(parent: Element | null, name: string): unknown {
  return parent?.[name];
}

/** A repeated element counts once: the first. */
function asElement(value: unknown): Element | null {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'object' && first !== null && !Array.isArray(first) ? (first as Element) : null;
}

/** The text of an element; with attributes it stands under `_`. */
function textOf(value: unknown): string | null {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'string') return first;
  const text = memberOf(asElement(first), '_');
  return typeof text === 'string' ? text : null;
}
