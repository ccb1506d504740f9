import { type Environment, processEnvironment } from './environment.js';
import { readDataDirectory } from './read-control-plane-config.js';

/** What the operator's commands use where no flag says otherwise. */
export interface ClientDefaults {
  readonly dataDirectory: string;
  readonly url: string | null;
  readonly certificateSha256: string | null;
  readonly adminTokenFile: string | null;
}

/** From AI_FABRIC_DATA, AI_FABRIC_URL, AI_FABRIC_CERTIFICATE_SHA256 and AI_FABRIC_ADMIN_TOKEN_FILE. */
export function readClientDefaults(environment: Environment = processEnvironment()): ClientDefaults {
  const read = (name: string): string | null => environment[`AI_FABRIC_${name}`]?.trim() || null;
  return Object.freeze({
    dataDirectory: readDataDirectory(undefined, environment),
    url: read('URL'),
    certificateSha256: read('CERTIFICATE_SHA256'),
    adminTokenFile: read('ADMIN_TOKEN_FILE'),
  });
}
