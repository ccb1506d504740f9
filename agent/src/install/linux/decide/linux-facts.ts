import type { JoinFacts } from '../../decide/find-refusals.js';
import type { ProgramSource } from '../../program-source.js';

/** What a Linux machine is, as far as an install has to know. */
export interface LinuxFacts extends JoinFacts {
  readonly isRoot: boolean;
  /** systemd runs this machine. */
  readonly hasSystemd: boolean;
  /** `null`: systemd does not say. */
  readonly systemdVersion: number | null;
  /** `old`: one that reads no rules, which alone can tell one unit from another. */
  readonly polkit: 'reads_rules' | 'old' | 'none';
  /** By it a user who is not root hears of suspends. */
  readonly hasGdbus: boolean;
  readonly program: ProgramSource;
  /** Unit files of our names, by their path; whether each is by an install of ours. */
  readonly units: readonly { readonly path: string; readonly isOurs: boolean }[];
  readonly hasAccount: boolean;
  readonly hasPolicy: boolean;
  readonly hasKey: boolean;
  /** What is in the place of a folder of ours and is not ours: a link, a file, a folder that others may write to. */
  readonly taken: readonly { readonly path: string; readonly is: string }[];
  /** Which of the folders that are needed cannot be written to, though by root: their file system is read-only. */
  readonly readOnly: readonly string[];
  /** Where the program and the state go. */
  readonly room: readonly {
    readonly path: string;
    readonly freeBytes: number;
    readonly neededBytes: number;
  }[];
  /** Rootful Podman is installed, with its socket's unit. */
  readonly hasPodman: boolean;
  /** Its socket is there at every boot already. */
  readonly isPodmanEnabled: boolean;
  /** What a rootless Podman needs and is not here, by the names of Debian's packages. */
  readonly missingForRootless: readonly string[];
  /** Docker is installed, with its group. */
  readonly hasDocker: boolean;
  /** Wall clock. */
  readonly nowMs: number;
}
