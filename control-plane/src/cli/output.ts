import { gibText } from '@ai-fabric/shared';
import Table from 'cli-table3';

/** Prints a listing as aligned columns, or as JSON for programs. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) {
    console.log('(none)');
    return;
  }
  const table = new Table({
    head: [...heads],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  table.push(...rows.map((row) => [...row]));
  console.log(
    table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  );
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** Bytes as gibibytes with one decimal; "-" when unknown. */
export function gib(bytes: number | null | undefined): string {
  return bytes == null ? '-' : gibText(bytes);
}

/** Bytes as mebibytes with one decimal. */
export function mib(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** Bytes per second as mebibytes per second; "-" when unknown. */
export function mibPerSecond(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? '-' : `${(bytesPerSecond / 1024 ** 2).toFixed(1)} MiB/s`;
}

export function percent(ratio: number | null | undefined): string {
  return ratio == null ? '-' : `${Math.round(ratio * 100)} %`;
}

/** How long ago, in one unit: "4 s", "12 min", "3 h", "2 d". */
export function age(fromMs: number | null | undefined, nowMs: number): string {
  if (fromMs == null) return 'never';
  const seconds = Math.max(0, Math.round((nowMs - fromMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
