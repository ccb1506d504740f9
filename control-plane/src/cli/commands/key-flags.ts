import { type Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import type { changeKeySchema } from '../../api/key-schemas.js';
import { REQUEST_CLASSES, type RequestClass } from '../../declared/request-class.js';
import type { ConnectionFlags } from '../connect-options.js';

type PolicyChange = z.input<typeof changeKeySchema>;

/** The words stand for `null`, which commander would take for an option without a value. */
export interface PermitFlags extends ConnectionFlags {
  roles?: readonly string[] | 'all';
  mayWake?: boolean;
  mayCloud?: boolean;
  expires?: number | 'never';
  keepBodies?: number | 'no';
  class?: RequestClass | 'role';
  mostUrgent?: RequestClass | 'any';
}

export interface LimitFlags extends ConnectionFlags {
  requestsPerMinute?: number | 'none';
  tokensPerMinute?: number | 'none';
  concurrent?: number | 'none';
}

export function withPermits(command: Command): Command {
  return command
    .option(
      '--roles <names>',
      'what it may ask for, with commas between: chat-fast,local/embed; or "all"',
      parseRoles,
    )
    .option('--may-wake', 'its requests may wake a host')
    .option('--no-may-wake', 'they may not')
    .option('--may-cloud', 'its requests may go to a provider')
    .option('--no-may-cloud', 'they may not')
    .option(
      '--keep-bodies <days>',
      'keep what its requests and answers say, for 1d to 90d; "no" deletes what is kept',
      parseBodyDays,
    )
    .addOption(
      new Option(
        '--class <class>',
        'how urgent its requests are where they do not say so; "role": as their role declares',
      ).choices([...REQUEST_CLASSES, 'role']),
    )
    .addOption(
      new Option(
        '--most-urgent <class>',
        'the most urgent that they are, whatever x-fabric-class says; "any": as they ask',
      ).choices([...REQUEST_CLASSES, 'any']),
    )
    .option('--expires <when>', 'from now, as 12h or 90d; or a date, as 2027-01-31; or "never"', parseExpiry);
}

export function withLimits(command: Command): Command {
  return command
    .option('--requests-per-minute <n>', 'or "none"; 0 allows nothing', parseLimit)
    .option('--tokens-per-minute <n>', 'of prompts and answers together', parseLimit)
    .option('--concurrent <n>', 'requests under way at the same time', parseLimit);
}

/** What was given on the command line, and nothing else. */
export function readPermits({
  roles,
  mayWake,
  mayCloud,
  expires,
  keepBodies,
  ...flags
}: PermitFlags): PolicyChange {
  const { class: byDefault, mostUrgent } = flags;
  return {
    ...(roles === undefined ? {} : { roles: roles === 'all' ? null : [...roles] }),
    ...(mayWake === undefined ? {} : { mayWake }),
    ...(mayCloud === undefined ? {} : { mayCloud }),
    ...(keepBodies === undefined ? {} : { keepBodiesDays: keepBodies === 'no' ? null : keepBodies }),
    ...(byDefault === undefined ? {} : { defaultClass: byDefault === 'role' ? null : byDefault }),
    ...(mostUrgent === undefined ? {} : { mostUrgentClass: mostUrgent === 'any' ? null : mostUrgent }),
    ...(expires === undefined ? {} : { expiresAtMs: expires === 'never' ? null : expires }),
  };
}

export function readLimits(flags: LimitFlags): NonNullable<PolicyChange['limits']> {
  const { requestsPerMinute, tokensPerMinute, concurrent } = flags;
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute: orNull(requestsPerMinute) }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute: orNull(tokensPerMinute) }),
    ...(concurrent === undefined ? {} : { concurrentRequests: orNull(concurrent) }),
  };
}

function orNull(limit: number | 'none'): number | null {
  return limit === 'none' ? null : limit;
}

function parseRoles(text: string): readonly string[] | 'all' {
  if (text === 'all') return 'all';
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function parseLimit(text: string): number | 'none' {
  if (text === 'none') return 'none';
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number, or none');
}

const secondsPer: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** @returns seconds of `90s`, `15m`, `2h` or `1d`; `null` where it is none of these */
export function parseSpan(text: string): number | null {
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  return match === null ? null : Number(match[1]) * (secondsPer[match[2] ?? ''] ?? Number.NaN);
}

function parseBodyDays(text: string): number | 'no' {
  if (text === 'no') return 'no';
  const match = /^(\d{1,2})d$/.exec(text);
  const days = Number(match?.[1]);
  if (days >= 1 && days <= 90) return days;
  throw new InvalidArgumentError('days, as 7d, up to 90d; or no');
}

function parseExpiry(text: string): number | 'never' {
  if (text === 'never') return 'never';
  const nowMs = Date.now();
  const seconds = parseSpan(text);
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  const atMs = seconds === null ? date : nowMs + seconds * 1000;
  if (atMs > nowMs) return atMs;
  if (!Number.isNaN(atMs)) throw new InvalidArgumentError('a time to come (to end a key now, revoke it)');
  throw new InvalidArgumentError('a time from now (12h, 90d), a date (2027-01-31), or never');
}
