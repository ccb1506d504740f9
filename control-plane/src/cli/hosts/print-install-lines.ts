import type { z } from 'zod';
import type { newJoinTokenSchema } from '../../api/schemas.js';
import { CliError, exitCodes } from '../exit-codes.js';

type NewJoinToken = z.infer<typeof newJoinTokenSchema>;

export const LINE_SYSTEMS = ['linux', 'windows'] as const;
export type LineSystem = (typeof LINE_SYSTEMS)[number];

const WHERE: Readonly<Record<LineSystem, string>> = {
  linux: 'Linux, as root or with sudo',
  windows: 'Windows, in an elevated PowerShell',
};

/**
 * The lines for people, each to be pasted on the new host. They hold the token.
 *
 * @returns none: nothing can be installed from there
 */
export function describeInstallLines(install: NewJoinToken['install']): readonly string[] {
  return LINE_SYSTEMS.flatMap((system) => {
    const line = install?.[system] ?? null;
    return line === null ? [] : [`\n${WHERE[system]}:\n${line}`];
  });
}

/** @throws CliError where nothing can be installed on that system */
export function lineFor({ install }: NewJoinToken, system: LineSystem): string {
  const line = install?.[system] ?? null;
  if (line !== null) return line;
  const fix =
    'see https://CONTROL-PLANE:8443/install/ for what lies there; a token alone is made without --line';
  throw new CliError(exitCodes.failed, `nothing can be installed on ${system} from there`, fix);
}

/** For programs. @param file where the token was written to: then it is told nowhere else */
export function tellCreated({ token, install, ...rest }: NewJoinToken, file: string | undefined): object {
  return file === undefined ? { ...rest, install, token } : { ...rest, file };
}
