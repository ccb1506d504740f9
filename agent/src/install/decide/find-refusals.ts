import { compareVersions } from '@ai-fabric/shared';
import { parseServerUrl } from '../../config/decide/parse-server-url.js';
import { JOIN_LINE, joinLineWith } from '../../own-command.js';
import type { InstallRecord } from '../install-record.js';
import type { InstallRefusal, InstallRequest } from '../install-steps.js';
import { installedVersion } from './installed-version.js';

/** What is known of whom this host is. */
export interface JoinFacts {
  readonly record: InstallRecord | null;
  /** What this host has joined before; `null` as well where that is damaged. */
  readonly joined: { readonly serverUrl: string; readonly hostName: string } | null;
  /** What is wrong with what says so; `null`: nothing is. Joining anew writes it anew. */
  readonly joinedFault: string | null;
  /** `null`: it cannot be read. */
  readonly machineSha256: string | null;
}

/** A place that an install needs. */
export interface Room {
  readonly path: string;
  readonly freeBytes: number;
  readonly neededBytes: number;
}

const NEW_TOKEN = `Run ${JOIN_LINE}.`;

/** What is wrong with whom this host is to be: a copied disk, another control plane, no token. */
export function joinRefusals(facts: JoinFacts, request: InstallRequest): InstallRefusal[] {
  const { joined, joinedFault, record, machineSha256 } = facts;
  const { server, token, newIdentity, rejoin } = request;
  const known = record?.machineSha256 ?? null;
  const isCopied = known !== null && machineSha256 !== null && known !== machineSha256;
  if (isCopied && !newIdentity) {
    return [
      {
        code: 'cloned_machine',
        detail:
          'This disk was copied from another machine: the agent was installed on one with another machine id, and two hosts cannot have one key.',
        fix: `Give this one an identity of its own: run ${joinLineWith('--new-identity')}. Where it is the same machine with a new id, that is the way too.`,
      },
    ];
  }
  if (joinedFault !== null && !newIdentity && !rejoin) {
    return [
      {
        ...{ code: 'damaged_state', detail: joinedFault },
        fix: `Put back a backup of it, or join anew, which keeps this host's key: run ${joinLineWith('--rejoin')}.`,
      },
    ];
  }
  // The line alone would be refused for what is damaged.
  const fix =
    joinedFault === null ? NEW_TOKEN : `Run ${joinLineWith(newIdentity ? '--new-identity' : '--rejoin')}.`;
  const isNew = joined === null || newIdentity || rejoin;
  if (!isNew) return elsewhere(joined.serverUrl, joined.hostName, server);
  const missing: InstallRefusal[] = [];
  if (server === null && joined === null) {
    missing.push({
      code: 'server_needed',
      detail:
        joinedFault === null
          ? 'This host has not joined a control plane, and none was named.'
          : 'Which control plane this host has joined cannot be read any more, and none was named.',
      fix,
    });
  }
  if (token === null) {
    missing.push({
      ...{
        code: 'token_needed',
        detail: 'To join, a token is needed: --token-file FILE, or - for standard input.',
      },
      fix,
    });
  }
  return missing;
}

function elsewhere(serverUrl: string, hostName: string, server: string | null): InstallRefusal[] {
  if (server === null) return [];
  const parsed = parseServerUrl(server);
  if (parsed.ok && parsed.address.url === serverUrl) return [];
  return [
    {
      code: 'joined_elsewhere',
      detail: `This host has joined ${serverUrl} as ${hostName}, and not ${server}.`,
      fix: `To join the other one instead: run ${joinLineWith('--rejoin')}. To stay: run the line that ${serverUrl} prints.`,
    },
  ];
}

/** What would put an older version in the place of a newer one unasked. @param version of the program that is to be placed */
export function versionRefusals(
  record: InstallRecord | null,
  version: string,
  { allowDowngrade }: InstallRequest,
): InstallRefusal[] {
  const installed = installedVersion(record);
  if (installed === null || allowDowngrade || (compareVersions(version, installed) ?? 0) >= 0) return [];
  return [
    {
      code: 'older_version',
      detail: `Version ${installed} is installed here, and ${version} is older.`,
      fix: `Install ${installed} or a later one; to go back to ${version} all the same: ${joinLineWith('--allow-downgrade')}.`,
    },
  ];
}

/** @param look the command that shows how full a place is */
export function roomRefusals(room: readonly Room[], look: (path: string) => string): InstallRefusal[] {
  return room
    .filter(({ freeBytes, neededBytes }) => freeBytes < neededBytes)
    .map(({ path, freeBytes, neededBytes }) => ({
      code: 'no_space',
      detail: `${path} has room for ${mebibytes(freeBytes)} MiB, and ${mebibytes(neededBytes)} MiB are needed.`,
      fix: `Make room there (${look(path)}).`,
    }));
}

function mebibytes(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(0);
}
