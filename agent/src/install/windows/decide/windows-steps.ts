import type { InstallStep } from '../../install-steps.js';
import type { FolderUse } from './folder-access.js';

/** The kinds of steps that an install has on Windows. */
export type WindowsStep =
  | (InstallStep & { readonly kind: 'make_folder'; readonly path: string })
  /** A folder that is left to the system and the administrators, whoever made it before. */
  | (InstallStep & { readonly kind: 'protect_folder'; readonly path: string; readonly use: FolderUse })
  | (InstallStep & { readonly kind: 'write_file'; readonly path: string; readonly text: string })
  /** Each file whole, or not at all; one that is there already is let be. */
  | (InstallStep & {
      readonly kind: 'place_files';
      readonly files: readonly string[];
      readonly folder: string;
    })
  /** Makes the key, or keeps what is there; `anew`: makes the one that `join` puts in its place. */
  | (InstallStep & { readonly kind: 'store_key'; readonly anew: boolean })
  | (InstallStep & { readonly kind: 'join'; readonly server: string; readonly rejoin: boolean })
  /** Makes the service where there is none, and sets all that it is. */
  | (InstallStep & { readonly kind: 'set_service'; readonly program: string })
  | (InstallStep & { readonly kind: 'make_logon_task'; readonly account: string; readonly program: string })
  | (InstallStep & { readonly kind: 'remove_logon_task' })
  | (InstallStep & { readonly kind: 'stop_service' })
  | (InstallStep & { readonly kind: 'start_service' });

export type WindowsStepOf<Kind extends WindowsStep['kind']> = Extract<WindowsStep, { kind: Kind }>;
