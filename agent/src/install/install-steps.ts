import { z } from 'zod';

/** What an install leaves on a machine. Each system makes some of these. */
const madeKinds = [
  /** A folder, taken away where it is empty. */
  'folder',
  /** A folder with all that is in it. */
  'tree',
  'file',
  'link',
  'account',
  /** `account:group`. */
  'membership',
  'service',
  /** An account whose services run without its being signed in. */
  'lingering',
  /** A task at a user's sign-in. */
  'task',
  /** A key of Windows' registry. */
  'registry',
] as const;

export const madeSchema = z.object({
  kind: z.enum(madeKinds),
  /** A path, or a name. */
  what: z.string().min(1).max(4_096),
  /** Of the host's owner: settings, the key, what was joined. An uninstall leaves it there, unless it purges. */
  kept: z.boolean(),
});
export type Made = z.infer<typeof madeSchema>;

/** One thing that an install does. Each system has kinds of its own; carried out twice, it is as if once. */
export interface InstallStep {
  readonly kind: string;
  /** What it does, in words, as it is told to whoever installs. */
  readonly tells: string;
  /** What it leaves. It is recorded before the step, so that an install that dies in it can be taken back. */
  readonly makes: readonly Made[];
  /** What is there no longer once it is done, of earlier installs. */
  readonly unmakes?: readonly Made[];
}

/** Why nothing is installed. */
export interface InstallRefusal {
  readonly code: InstallRefusalCode;
  /** What was found. */
  readonly detail: string;
  /** What mends it: a command, where there is one. */
  readonly fix: string;
}

export type InstallRefusalCode =
  | 'not_supported_here'
  | 'not_root'
  | 'not_elevated'
  | 'no_systemd'
  | 'old_systemd'
  | 'program_missing'
  | 'release_refused'
  | 'older_version'
  | 'service_taken'
  | 'folder_taken'
  | 'docker_desktop_missing'
  | 'rootless_incomplete'
  | 'no_space'
  | 'read_only'
  | 'server_needed'
  | 'token_needed'
  | 'joined_elsewhere'
  | 'damaged_state'
  | 'cloned_machine'
  | 'upgrade_under_way'
  | 'replica_not_ended'
  | 'agent_silent'
  | 'interrupted'
  | 'install_under_way'
  | 'models_within';

export type InstallPlan<Step extends InstallStep = InstallStep> =
  | { readonly ok: false; readonly refusals: readonly InstallRefusal[] }
  | {
      readonly ok: true;
      readonly steps: readonly Step[];
      readonly facts: InstalledFacts;
      /** What whoever installs should know, in sentences: what is left out here and why, what gives more rights. */
      readonly notes: readonly string[];
    };

/** What the record says of an install beside what it made. */
export interface InstalledFacts {
  /** Of the program. */
  readonly version: string;
  /** The machine that it is installed on: a copied disk is known by it. */
  readonly machineSha256: string | null;
  readonly engineAccess: EngineAccess;
}

/** How the agent comes to its container engine. `group`: by the group of a rootful socket, which is as good as root. */
export const engineAccesses = ['group', 'rootless', 'none'] as const;
export type EngineAccess = (typeof engineAccesses)[number];

/** What whoever installs asks for. */
export interface InstallRequest {
  /** As typed: `https://motoko:8443`. */
  readonly server: string | null;
  /** The join token's text; a secret. */
  readonly token: string | null;
  /** What this host is to be called. */
  readonly name: string | null;
  /** Folder with `manifest.json`, `manifest.sig` and the program; `null`: the program that runs is the one. */
  readonly release: string | null;
  /** `null`: as before, or as is usual here. */
  readonly engineAccess: EngineAccess | null;
  /** On Windows: a task that starts Docker Desktop when its owner signs in; `null`: as before. */
  readonly dockerLogonTask: boolean | null;
  /** Gives up the key that is there: for a copied disk, or a host that is to start anew. */
  readonly newIdentity: boolean;
  /** Joins although this host has joined before. */
  readonly rejoin: boolean;
  /** Puts an older version in the place of a newer one. */
  readonly allowDowngrade: boolean;
}

/** The service, as an install that fails has to leave it: running, where it ran. */
export interface InstalledService {
  /** It runs, or is about to. */
  runs(): Promise<boolean>;
  /** Starts what is there by now. @throws Error */
  start(): Promise<void>;
  /** How a person starts it. */
  readonly startCommand: string;
}

/** What a system can do of an install; Linux has one, Windows another. */
export interface InstallSystem<Step extends InstallStep = InstallStep> {
  /** Where the record is kept. */
  readonly recordPath: string;
  /** The state directory of the service. */
  readonly stateDirectory: string;
  /** Held by whoever changes something here: a socket's path; `null`: this account cannot. */
  readonly lockPath: string | null;
  readonly service: InstalledService;
  /** Looks, and changes nothing. */
  plan(request: InstallRequest): Promise<InstallPlan<Step>>;
  /**
   * Carries a step out, with the request's token and name where it joins.
   *
   * @returns what more is to be told of it; `null`: nothing
   * @throws Error with what went wrong and, where known, what mends it
   */
  carryOut(step: Step, request: InstallRequest): Promise<string | null>;
  /** Takes away what was made; what is gone already is no error. @returns paths within it that somebody else put there @throws Error */
  remove(made: Made): Promise<readonly string[]>;
  /** The folder of an engine's storage, models and all, within what a purge removes; `null`: there is none. @throws Error */
  storageWithin(): Promise<string | null>;
  /** What stays after an uninstall beside what is kept, in words; asked for before anything is taken away. */
  leftovers(purge: boolean): Promise<readonly string[]>;
  /** Why nothing may be taken away, by this account or now; `null`: it may. */
  refuseUninstall(): Promise<InstallRefusal | null>;
}
