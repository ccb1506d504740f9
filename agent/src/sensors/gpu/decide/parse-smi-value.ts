const NUMBER = /^(-?\d+(?:\.\d+)?)(?:\s*(?:MiB|MHz|%|W|C))?$/;
const VERSION = /^(\d+(?:\.\d+)+)(?:\s*\[.*)?$/;
const LOST = /GPU is lost|requires reset/i;
const NOT_A_VALUE =
  /^(?:\[.*\]|N\/A|ERR!|None|Not Supported|Not Found|Function Not Found|Insufficient Permissions|GPU is lost|GPU requires reset|Unknown Error|Requested functionality has been deprecated)$/i;

export const BYTES_PER_MIB = 1_048_576;

/** A number as nvidia-smi prints it, its unit dropped; `null` for every sentinel and for anything else. */
export function parseSmiNumber(text: string): number | null {
  const match = NUMBER.exec(text.trim());
  return match ? Number(match[1]) : null;
}

/** A number within its plausible bounds, times `scale`; `null` outside: drivers print 2³²−1 for "unknown". */
export function parseSmiQuantity(text: string, min: number, max: number, scale: number): number | null {
  const value = parseSmiNumber(text);
  return value === null || value < min || value > max ? null : value * scale;
}

/** A word or name, `null` where the driver has none ("[N/A]", "[Not Supported]", "ERR!", …). */
export function parseSmiText(text: string, maxLength: number): string | null {
  const value = text.trim();
  return value === '' || NOT_A_VALUE.test(value) ? null : value.slice(0, maxLength);
}

/** Says the value that this card fell off the bus or must be reset? */
export function saysCardLost(text: string): boolean {
  return LOST.test(text);
}

/**
 * A version such as "610.43.02". From 610 on the old names answer "610.43.02 [Deprecated; …]" or a whole sentence
 * ("Deprecated, see …"): the first is a version, the second is not.
 */
export function parseSmiVersion(text: string): string | null {
  return VERSION.exec(text.trim())?.[1]?.slice(0, 40) ?? null;
}

/** A bit mask such as "0x0000000000000004"; `null` when it is none or does not fit a double exactly. */
export function parseSmiMask(text: string): number | null {
  const value = text.trim();
  if (!/^0x[0-9a-f]{1,16}$/i.test(value)) return null;
  const mask = Number(value);
  return Number.isSafeInteger(mask) ? mask : null;
}
