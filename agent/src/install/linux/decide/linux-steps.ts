import type { InstallStep } from '../../install-steps.js';

/** The kinds of steps that an install has on Linux. */
export type LinuxStep =
  | (InstallStep & { readonly kind: 'make_account'; readonly account: string; readonly home: string })
  | (InstallStep & {
      readonly kind: 'make_folder';
      readonly path: string;
      readonly mode: number;
      /** `null`: root's. */
      readonly owner: string | null;
    })
  | (InstallStep & {
      readonly kind: 'write_file';
      readonly path: string;
      readonly text: string;
      readonly mode: number;
      /** `null`: root's. */
      readonly group: string | null;
    })
  /** The program is copied whole, or not at all. */
  | (InstallStep & {
      readonly kind: 'place_program';
      readonly from: string;
      /** Files that go along. */
      readonly beside: readonly string[];
      readonly folder: string;
    })
  | (InstallStep & {
      readonly kind: 'link';
      readonly path: string;
      readonly target: string;
      /** It costs a word where it cannot be made: /usr is read-only on some. */
      readonly optional: boolean;
    })
  | (InstallStep & { readonly kind: 'remove_file'; readonly path: string })
  /** Makes the key, takes over that of an earlier `join`, or keeps what is there; `anew`: makes the one that `join` puts in its place. */
  | (InstallStep & { readonly kind: 'store_key'; readonly anew: boolean })
  | (InstallStep & { readonly kind: 'join'; readonly server: string; readonly rejoin: boolean })
  | (InstallStep & { readonly kind: 'join_group'; readonly account: string; readonly group: string })
  | (InstallStep & { readonly kind: 'leave_group'; readonly account: string; readonly group: string })
  /** Subordinate ids, lingering and the socket of the account's own Podman. */
  | (InstallStep & { readonly kind: 'open_rootless_podman'; readonly account: string })
  /** Of the agent, in engines that are root's. */
  | (InstallStep & { readonly kind: 'end_containers' })
  | (InstallStep & { readonly kind: 'end_rootless_podman'; readonly account: string })
  | (InstallStep & { readonly kind: 'reload_systemd' })
  | (InstallStep & { readonly kind: 'restart_socket'; readonly unit: string })
  | (InstallStep & { readonly kind: 'stop_service' })
  | (InstallStep & { readonly kind: 'start_service' });

export type LinuxStepOf<Kind extends LinuxStep['kind']> = Extract<LinuxStep, { kind: Kind }>;
