import type { SecretClient, SecretClientOptions } from '@azure/keyvault-secrets';
import { checkSecretForm } from './decide/check-secret-form.js';
import type { SecretFailure, SecretResult } from './secret-result.js';

export interface VaultReference {
  /** `https://NAME.vault.azure.net` */
  readonly vault: string;
  readonly secret: string;
}

/** Left out but in tests: how the vault is reached, and as whom. */
export interface KeyVaultParts {
  readonly httpClient?: NonNullable<SecretClientOptions['httpClient']>;
  readonly credential?: ConstructorParameters<typeof SecretClient>[1];
}

const TIMEOUT_MS = 10_000;

/**
 * Secrets of Azure Key Vault, always their newest version. The SDK is loaded with the first one; as whom it asks is
 * found by its own rules: AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, a managed identity, a signed-in `az`.
 */
export class AzureKeyVault {
  readonly #parts: KeyVaultParts;
  readonly #clients = new Map<string, Promise<SecretClient>>();

  constructor(parts: KeyVaultParts = {}) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async read(reference: VaultReference): Promise<SecretResult> {
    const { vault, secret } = reference;
    try {
      const client = await this.#client(vault);
      const found = await client.getSecret(secret, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
      return checkSecretForm(found.value?.trim() ?? '', `the secret ${secret} of ${vault}`);
    } catch (error) {
      return explain(error, reference);
    }
  }

  #client(vault: string): Promise<SecretClient> {
    const known = this.#clients.get(vault);
    if (known !== undefined) return known;
    const client = connect(vault, this.#parts);
    this.#clients.set(vault, client);
    // A load that failed may succeed another time.
    client.catch(() => this.#clients.delete(vault));
    return client;
  }
}

async function connect(vault: string, { httpClient, credential }: KeyVaultParts): Promise<SecretClient> {
  const { SecretClient } = await import('@azure/keyvault-secrets');
  const who = credential ?? new (await import('@azure/identity')).DefaultAzureCredential();
  return new SecretClient(vault, who, {
    retryOptions: { maxRetries: 1 },
    ...(httpClient === undefined ? {} : { httpClient }),
  });
}

/** The SDK's own messages may hold what was sent: only its codes are told. */
function explain(error: unknown, { vault, secret }: VaultReference): SecretFailure {
  const { statusCode = 0, code = '' } = error as { readonly statusCode?: number; readonly code?: string };
  const place = `the secret ${secret} of ${vault}`;
  if (statusCode === 404) {
    return { ok: false, code: 'vault_secret_missing', detail: `${place} does not exist; put the key there` };
  }
  if (statusCode === 401 || statusCode === 403) {
    const fix = 'give the identity of the control plane the role "Key Vault Secrets User"';
    return { ok: false, code: 'vault_refused', detail: `${place} may not be read (${statusCode}); ${fix}` };
  }
  const why =
    statusCode > 0 ? `status ${statusCode}` : code || (error instanceof Error ? error.name : 'unknown');
  return { ok: false, code: 'vault_unreachable', detail: `${place} cannot be reached (${why})` };
}
