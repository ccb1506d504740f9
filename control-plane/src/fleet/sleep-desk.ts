import type { SleepAction } from './decide/plan-sleep.js';

export interface SleepAsk {
  readonly host: string;
  /** `null`: as declared. */
  readonly action: SleepAction | null;
  readonly askedBy: 'operator' | 'rehearsal';
  /** In words, for the log, the agent and who looks later. */
  readonly reason: string;
  /** Sleeps although a guard speaks against it; the control plane's own host never does. */
  readonly despiteGuards: boolean;
}

export type SleepRefusal = Extract<SleepEnd, { kind: 'refused' }>;

export type SleepEnd =
  /** It is away, or its cards are free: what it is in now. */
  | { readonly kind: 'asleep'; readonly action: SleepAction }
  /** Nothing was begun: a code, and what stands in the way. */
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly detail: string;
      /** An operator may go past it. */
      readonly mayBeForced: boolean;
    }
  /** It was begun, and the host is awake as before. */
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

/** Puts hosts to sleep. One transition per host. */
export interface SleepDesk {
  /** Resolves when the host is asleep, or is not going to be; bounded by its drain and a deadline of the desk's own. */
  sleep(ask: SleepAsk): Promise<SleepEnd>;
  /** The host's engines are parked, and the machine is on: its wake is `unpark`. */
  isParked(host: string): boolean;
  /** @returns what came of it, `null`: done, and its engines load; else in words why not */
  unpark(host: string): Promise<string | null>;
  /**
   * Somebody wants the host: a transition that can still end without harm does.
   *
   * @returns whether the host stays awake; `false`: it goes, and is to be woken when it is away
   */
  callBack(host: string, reason: string): boolean;
}
