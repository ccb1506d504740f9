import { CliError, exitCodes } from './exit-codes.js';

const EXIT_CODES: Readonly<Record<string, number>> = {
  backup_not_found: exitCodes.notFound,
  backup_full: exitCodes.failed,
};

/** What backups and restores fail with, as the command line tells it. */
export async function toBackupCliError(error: unknown): Promise<unknown> {
  const [{ BackupError }, { RegistryError }] = await Promise.all([
    import('../registry/backup/backup-format.js'),
    import('../registry/registry-error.js'),
  ]);
  if (error instanceof BackupError) {
    return new CliError(EXIT_CODES[error.code] ?? exitCodes.refused, error.message, error.fix);
  }
  if (error instanceof RegistryError) {
    const code = error.code === 'registry_in_use' ? exitCodes.refused : exitCodes.failed;
    return new CliError(code, error.message, error.fix);
  }
  return error;
}
