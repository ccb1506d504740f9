import { createHash } from 'node:crypto';
import { MASK, maskText } from '@ai-fabric/shared';
import { type BundleFile, type BundleManifest, MANIFEST_NAME } from './bundle-manifest.js';
import { cutLines } from './decide/cut-lines.js';
import type { NameRedaction } from './decide/redact-names.js';
import type { Findings, FoundFile, MissingFile } from './findings.js';

export type BundleFacts = Pick<
  BundleManifest,
  'madeAt' | 'program' | 'version' | 'commit' | 'protocol' | 'node' | 'platform' | 'kernel'
>;

export interface PackOptions {
  readonly facts: BundleFacts;
  /** `null`: names stay. */
  readonly redaction: NameRedaction | null;
  readonly maxFileBytes?: number;
  readonly maxTotalBytes?: number;
}

export interface PackedBundle {
  readonly manifest: BundleManifest;
  /** The manifest is the first. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

const MIB = 1024 * 1024;
const MAX_FILE_BYTES = 4 * MIB;
const MAX_TOTAL_BYTES = 32 * MIB;
const MAX_REASON = 1_000;

/** Masks all that was found by all that is known of it, and keeps what fits. */
export function packFindings(
  found: Pick<Findings, 'files' | 'missing' | 'secrets'>,
  options: PackOptions,
): PackedBundle {
  const { redaction, maxFileBytes = MAX_FILE_BYTES, maxTotalBytes = MAX_TOTAL_BYTES } = options;
  const known = found.secrets.map(({ value }) => value);
  const clean = (text: string): string => {
    const masked = maskText(text, known);
    return redaction === null ? masked : redaction.apply(masked);
  };
  const files: { readonly name: string; readonly text: string }[] = [];
  const told: BundleFile[] = [];
  const missing: MissingFile[] = found.missing.map(({ name, reason }) => ({
    name: clean(name),
    reason: inOneLine(clean(reason)),
  }));
  let totalBytes = 0;
  for (const file of found.files) {
    const { text, isCut } = cutLines(clean(file.text), maxFileBytes, file.keeps ?? 'first');
    const bytes = Buffer.byteLength(text);
    const name = clean(file.name);
    if (totalBytes + bytes > maxTotalBytes) {
      missing.push({ name, reason: `the bundle would have more than ${maxTotalBytes} bytes` });
      continue;
    }
    totalBytes += bytes;
    files.push({ name, text });
    told.push(describe(file, name, text, isCut, clean));
  }
  const manifest: BundleManifest = {
    format: 1,
    ...options.facts,
    namesRedacted: redaction !== null,
    files: told,
    missing,
    secrets: [
      ...new Set(found.secrets.filter(({ value }) => value !== '').map(({ origin }) => clean(origin))),
    ],
  };
  return {
    manifest,
    files: [{ name: MANIFEST_NAME, text: `${JSON.stringify(manifest, null, 2)}\n` }, ...files],
  };
}

function describe(
  { source, args, answer, isCut: wasCut = false }: FoundFile,
  name: string,
  text: string,
  isCut: boolean,
  clean: (text: string) => string,
): BundleFile {
  return {
    name,
    bytes: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
    source: inOneLine(clean(source)),
    args: args?.map(clean) ?? null,
    answer: answer ?? null,
    cut: isCut || wasCut,
    masked: text.split(MASK).length - 1,
  };
}

/** Masked before: half a secret has not its form any more. */
function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, MAX_REASON);
}
