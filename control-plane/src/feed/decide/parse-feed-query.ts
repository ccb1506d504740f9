import { nameSchema } from '@ai-fabric/shared';
import { EVERYTHING, type FeedFilter, feedFilter, feedKindsText, isFeedKind } from './feed-filter.js';

/** Where a subscriber was cut off. */
export interface FeedResume {
  /** The stream's id, as its snapshot told it. */
  readonly stream: string;
  readonly seq: number;
}

export type FeedQuery =
  | { readonly ok: true; readonly filter: FeedFilter; readonly resume: FeedResume | null }
  | { readonly ok: false; readonly detail: string };

const MAX_HOSTS = 100;
const KNOWN = new Set(['hosts', 'kinds', 'stream', 'resume', 'ticket']);

/** @param url the request target of the upgrade */
export function parseFeedQuery(url: string): FeedQuery {
  const given = readQuery(url);
  const unknown = [...given.keys()].find((name) => !KNOWN.has(name));
  if (unknown !== undefined)
    return refused(`there is no parameter "${unknown}"; there are ${[...KNOWN].join(', ')}`);
  const hosts = listOf(given.get('hosts'));
  const kinds = listOf(given.get('kinds'));
  if (hosts !== null && hosts.length > MAX_HOSTS) return refused(`hosts: more than ${MAX_HOSTS} names`);
  const noName = hosts?.find((name) => !nameSchema.safeParse(name).success);
  if (noName !== undefined) return refused(`hosts: "${noName}" is no name of a host`);
  const noKind = kinds?.find((kind) => !isFeedKind(kind));
  if (noKind !== undefined) return refused(`kinds: "${noKind}" is none of ${feedKindsText}`);
  const filter = feedFilter(hosts, kinds?.filter(isFeedKind) ?? [...EVERYTHING.kinds]);
  const [stream, resume] = [given.get('stream'), given.get('resume')];
  if (stream === undefined && resume === undefined) return { ok: true, filter, resume: null };
  if (stream === undefined || resume === undefined || !/^\d{1,15}$/.test(resume)) {
    return refused('stream and resume come together: the "stream" of the snapshot and the last "seq"');
  }
  return { ok: true, filter, resume: { stream, seq: Number(resume) } };
}

function readQuery(url: string): Map<string, string> {
  const start = url.indexOf('?');
  return new Map(start === -1 ? [] : new URLSearchParams(url.slice(start + 1)));
}

function listOf(text: string | undefined): string[] | null {
  return text === undefined ? null : text.split(',');
}

function refused(detail: string): FeedQuery {
  return { ok: false, detail: detail.slice(0, 300) };
}
