import type { AgentStatus } from '../status/agent-status.js';

/** What has to be right for a host to serve, in the order in which one thing stands on another. */
export type HostCheckId =
  | 'linked'
  | 'driver_and_cards'
  | 'container_engine'
  | 'cdi'
  | 'gpu_in_container'
  | 'wake_arming'
  /** On Windows. */
  | 'fast_startup'
  | 'sign_in_at_boot';

/**
 * `waiting`: nothing is known yet, and it comes by itself or with the first replica. `not_applicable`: this host has no
 * such thing.
 */
export type HostCheckState = 'green' | 'red' | 'waiting' | 'not_applicable';

export interface HostCheck {
  readonly id: HostCheckId;
  readonly state: HostCheckState;
  /** What was found. */
  readonly says: string;
  /** The command that mends it, or what brings it about; `null`: nothing is to be done. */
  readonly fix: string | null;
}

/** What is known of a host, whoever tells it: its agent, or a look of one's own where none runs. */
export interface HostFacts {
  readonly platform: NodeJS.Platform;
  /** Wall clock. */
  readonly nowMs: number;
  readonly agent: AgentFacts;
  /** As a service of the system; `null`: it is none. */
  readonly service: ServiceFacts | null;
  readonly cards: AgentStatus['cards'];
  readonly areCardsRead: boolean;
  readonly issues: AgentStatus['issues'];
  readonly containerEngine: AgentStatus['containerEngine'];
  /** What mends an engine that is not reached, where who looked knows it. */
  readonly engineFix: string | null;
  /** Of Podman's specs for the cards. */
  readonly cdi: 'no_spec' | 'unknown_device' | 'known_device';
  readonly wake: AgentStatus['wake'];
  readonly replicas: AgentStatus['replicas'];
  /** What only Windows has; `null` elsewhere. */
  readonly windows: WindowsHostFacts | null;
}

export interface ServiceFacts {
  /** It starts with the machine. */
  readonly isEnabled: boolean;
  readonly isActive: boolean;
  /** `null`: nothing says that it ends. */
  readonly ending: ServiceEnding | null;
}

/** A service that nobody stopped, and that ended. */
export interface ServiceEnding {
  /** The system starts it again by itself. */
  readonly isRetried: boolean;
  /** How often it did; `null`: it does not count. */
  readonly restarts: number | null;
  /** "exit code 1"; `null`: not known, or without a fault. */
  readonly how: string | null;
  /** What it said of it, on one line. */
  readonly lastWords: string | null;
}

export interface WindowsHostFacts {
  /** An install made a task that starts Docker Desktop at its owner's sign-in. */
  readonly hasLogonTask: boolean;
  /** A shutdown is half a hibernation; `null`: this system does not say. */
  readonly fastStartup: boolean | null;
}

export type AgentFacts =
  | {
      readonly kind: 'runs';
      readonly link: AgentStatus['link'];
      readonly server: string;
      readonly hostName: string;
      readonly startedAtMs: number;
    }
  /** One may run, and does not answer. */
  | { readonly kind: 'silent'; readonly problem: string }
  | { readonly kind: 'stopped'; readonly server: string; readonly hostName: string }
  /** What it has joined cannot be read any more. */
  | { readonly kind: 'damaged'; readonly problem: string; readonly fix: string }
  | { readonly kind: 'not_joined' };
