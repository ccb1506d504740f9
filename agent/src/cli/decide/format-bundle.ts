import { countOf } from '@ai-fabric/shared';
import type { BundleManifest } from '../../bundle/bundle-manifest.js';
import type { GatheredPart } from '../../bundle/gather-bundle.js';

const MIB = 1024 * 1024;

/** @param hostName `null`: it is not to be told @param madeAtMs wall clock */
export function nameBundle(hostName: string | null, madeAtMs: number): string {
  const time = new Date(madeAtMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `ai-fabric-agent-${hostName === null ? '' : `${hostName}-`}${time}.tar.gz`;
}

/** A line while it is gathered. */
export function formatPart({ title, seconds, files, missing }: GatheredPart): string {
  const lacks = missing === 0 ? '' : `, ${missing} missing`;
  return `  ${files === 0 ? '–' : '✓'} ${title}: ${countOf(files, 'file')}${lacks} (${seconds.toFixed(1)} s)`;
}

/** What is in it, what is not, and what was masked. */
export function formatBundle(path: string, bytes: number, manifest: BundleManifest): string {
  const { files, missing, secrets, namesRedacted } = manifest;
  const masked = files.filter((file) => file.masked > 0);
  const places = masked.reduce((sum, file) => sum + file.masked, 0);
  return [
    'In it:',
    ...files.map(({ name, bytes: size, cut }) => `  ${name} (${formatSize(size)}${cut ? ', cut' : ''})`),
    ...section(
      'Not there',
      missing.map(({ name, reason }) => `${name}: ${reason}`),
    ),
    ...section('Masked wherever they stand, the values of', secrets),
    places === 0
      ? 'Nothing in it had to be masked.'
      : `Masked: ${countOf(places, 'place')} in ${masked.map(({ name }) => name).join(', ')}.`,
    namesRedacted
      ? 'Names of hosts and people, addresses and MACs have stand-ins; look through it before you hand it on.'
      : 'Names, addresses and hardware are in it: look through it before you hand it on, or use --redact-names.',
    `Wrote ${path} (${formatSize(bytes)}), for you alone.`,
  ].join('\n');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < MIB ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}
