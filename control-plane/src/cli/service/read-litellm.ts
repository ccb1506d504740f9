import { readFileSync } from 'node:fs';
import { parseFabricText } from '../../declared/parse-fabric-text.js';
import { importLitellm, type PlacedNote } from '../../litellm/import-litellm.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { carryNames, listCloudNames, listKeyVariables } from './decide/carry-names.js';
import { type FoundLitellm, findLitellm } from './decide/find-litellm.js';
import type { PortHolder } from './decide/service-facts.js';
import { listCandidates } from './find-holders.js';

/** The proxy that is to be replaced, and what its configuration becomes. */
export interface LitellmView {
  /** `null`: none runs here, only its configuration was named. */
  readonly proxy: FoundLitellm | null;
  readonly configFile: string;
  readonly fabric: string;
  readonly notes: readonly PlacedNote[];
  /** Each name that its clients use. */
  readonly names: readonly string[];
  /** Those that a provider alone answers. */
  readonly cloudNames: ReadonlySet<string>;
  readonly keyVariables: readonly string[];
}

/**
 * Finds the proxy of this machine and translates its configuration. Changes nothing.
 *
 * @param file its config.yaml, where that cannot be told from how it runs
 * @param unit its service, where several run
 * @throws CliError with what mends it
 */
export function readLitellm(
  holders: readonly PortHolder[],
  { file, unit }: { readonly file: string | null; readonly unit: string | null },
): LitellmView {
  const search = findLitellm(listCandidates(holders), unit);
  if (!search.ok) {
    throw new CliError(exitCodes.refused, search.detail, 'say which with --litellm-unit NAME.service');
  }
  const proxy = search.found;
  const configFile = file ?? proxy?.configFile ?? null;
  if (configFile === null) {
    const message =
      proxy === null ? 'no LiteLLM proxy runs here' : 'the LiteLLM proxy names no configuration';
    throw new CliError(exitCodes.notFound, message, 'name its config.yaml: --replace-litellm FILE');
  }
  const imported = importLitellm(readConfig(configFile), configFile);
  if (!imported.ok)
    throw new CliError(exitCodes.refused, imported.mistakes, 'mend the file; nothing was changed');
  const { fabric, notes, clientNames } = imported;
  const read = parseFabricText(fabric, configFile);
  if (!read.ok) throw new CliError(exitCodes.failed, `what was made of ${configFile} is not valid`);
  // With those that could not be carried over: whoever asks for one of them gets a 404.
  const names = [...new Set([...carryNames(read.state), ...clientNames])];
  const cloudNames = listCloudNames(read.state);
  return { proxy, configFile, fabric, notes, names, cloudNames, keyVariables: listKeyVariables(read.state) };
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new CliError(
      exitCodes.failed,
      `cannot read ${file}: ${detail}`,
      'name another: --replace-litellm FILE',
    );
  }
}
