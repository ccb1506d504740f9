import { z } from 'zod';

/**
 * A backup is a registry file with two tables more: what it is, and the files that make its control plane the one
 * that agents and operators know. It holds private keys in clear unless it was made without them.
 */
export const INFO_TABLE = 'backup_info';
export const FILES_TABLE = 'backup_files';

/** Rises when a program that knows the former one could no longer restore it. */
export const FORMAT_VERSION = 1;

export const backupInfoSchema = z.object({
  formatVersion: z.coerce.number().int().min(1),
  madeAtMs: z.coerce.number(),
  /** Version of the program. */
  madeBy: z.string().max(40),
  /** Name of the machine. */
  madeOn: z.string().max(253),
  /** What agents pin. */
  certificateSha256: z.string().max(64),
});
export type BackupInfo = z.infer<typeof backupInfoSchema>;

/** By these names in the backup, whatever they are called in a data directory. */
export const backupFileNames = ['certificate.pem', 'key.pem', 'admin.token'] as const;
export type BackupFileName = (typeof backupFileNames)[number];

export type BackupErrorCode =
  /** The disk that it was to be written to is full. */
  | 'backup_full'
  /** It, or the registry that it is of, is damaged, or it is no backup. */
  | 'backup_corrupt'
  /** A newer program made it. */
  | 'backup_newer'
  /** Another one is being made. */
  | 'backup_in_progress'
  | 'backup_not_found'
  | 'backup_failed';

/** Why a backup could not be made, read or restored, with what mends it. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupErrorCode;
  readonly fix: string;

  constructor(code: BackupErrorCode, message: string, fix: string) {
    super(message);
    this.code = code;
    this.fix = fix;
  }
}
