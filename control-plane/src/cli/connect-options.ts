import type { Command } from 'commander';
import { readClientDefaults } from '../config/client-defaults.js';
import { ApiClient } from './api-client.js';

/** The flags of every command that talks to a running control plane. */
export function withConnection(command: Command): Command {
  return command
    .option('--data <dir>', 'data directory of a control plane on this machine')
    .option('--url <url>', 'a control plane elsewhere, as https://motoko:8443')
    .option('--certificate-sha256 <hex>', 'its certificate, as "ai-fabric up" prints it')
    .option('--admin-token-file <file>', 'file with its admin token')
    .option('--json', 'print JSON');
}

export interface ConnectionFlags {
  data?: string;
  url?: string;
  certificateSha256?: string;
  adminTokenFile?: string;
  json?: boolean;
}

export function connect(flags: ConnectionFlags): ApiClient {
  const defaults = readClientDefaults();
  return new ApiClient({
    dataDirectory: flags.data ?? defaults.dataDirectory,
    url: flags.url ?? defaults.url,
    certificateSha256: flags.certificateSha256 ?? defaults.certificateSha256,
    adminTokenFile: flags.adminTokenFile ?? defaults.adminTokenFile,
  });
}
