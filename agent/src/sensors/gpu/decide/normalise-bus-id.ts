const BUS_ID = /(?:([0-9a-f]{1,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])(?![0-9a-f])/i;

/**
 * A PCI address in one spelling ("0000:0b:00.0"), so that "GPU0000:0B:00.0" of an error text and "00000000:0B:00.0"
 * of a reading are the same card. The domain is read as a number: its width differs between drivers.
 */
export function normaliseBusId(text: string): string | null {
  const match = BUS_ID.exec(text);
  if (!match) return null;
  const domain = Number.parseInt(match[1] ?? '0', 16)
    .toString(16)
    .padStart(4, '0');
  return `${domain}:${match[2]}:${match[3]}.${match[4]}`.toLowerCase();
}

/** The driver's own spelling of a normalised address, "00000000:0B:00.0": what nvidia-smi is asked by. */
export function spellBusId(busId: string): string {
  const [domain = '', ...rest] = busId.toUpperCase().split(':');
  return [domain.padStart(8, '0'), ...rest].join(':');
}
