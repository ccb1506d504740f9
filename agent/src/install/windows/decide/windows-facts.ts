import type { JoinFacts, Room } from '../../decide/find-refusals.js';
import type { ProgramSource } from '../../program-source.js';
import type { Elevation } from './judge-elevation.js';

/** What a Windows machine is, as far as an install has to know. */
export interface WindowsFacts extends JoinFacts {
  readonly elevation: Elevation;
  readonly program: ProgramSource;
  /** What the service of our name runs; `null`: there is none. */
  readonly serviceImage: string | null;
  /** Folders of ours that are links to somewhere else. */
  readonly linked: readonly string[];
  /** Folders that cannot be written to, though by an administrator. */
  readonly readOnly: readonly string[];
  readonly hasPolicy: boolean;
  readonly hasKey: boolean;
  /** Another program that is kept by the same wrapper has made it before. */
  readonly hasEventSource: boolean;
  /** What starts Docker Desktop for whoever installs; `null`: it is not installed for all, nor for them. */
  readonly dockerDesktop: string | null;
  /** An engine runs, whoever it is that it was installed for. */
  readonly hasEnginePipe: boolean;
  /** The task that an install made is there still. */
  readonly hasLogonTask: boolean;
  /** The name of whoever installs. */
  readonly user: string;
  /** The same for programs: a name alone may be that of an account elsewhere. `null`: Windows did not say. */
  readonly userSid: string | null;
  readonly room: readonly Room[];
  /** Wall clock. */
  readonly nowMs: number;
}
