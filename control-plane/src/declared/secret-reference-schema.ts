import { z } from 'zod';

export const secretReferenceSchema = z
  .union([
    z.strictObject({
      env: z
        .string()
        .max(100)
        .regex(/^[A-Z_][A-Z0-9_]*$/, 'the name of an environment variable, in upper case')
        .describe('Name of an environment variable of the control plane, in upper case.'),
    }),
    z.strictObject({
      file: z
        .string()
        .max(500)
        .regex(/^(\/|[A-Za-z]:[\\/]|\\\\)/, 'the absolute path of a file')
        .describe('Absolute path of a file that holds nothing but the key, readable by its owner alone.'),
    }),
    z.strictObject({
      credential: z
        .string()
        .max(200)
        .regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/, 'the name of a systemd credential')
        .describe('Name of a credential that systemd hands to the control plane (LoadCredential=).'),
    }),
    z.strictObject({
      azureKeyVault: z
        .strictObject({
          vault: z
            .string()
            .max(300)
            .regex(
              /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/?$/,
              'an address such as https://my-vault.vault.azure.net',
            )
            .describe('Address of the vault.'),
          secret: z
            .string()
            .regex(/^[A-Za-z0-9-]{1,127}$/, 'the name of a secret: letters, digits and "-"')
            .describe('Name of the secret; its newest version is used.'),
        })
        .describe('A secret of Azure Key Vault.'),
    }),
  ])
  .describe('Where the key is found. The key itself never stands in this file.');
