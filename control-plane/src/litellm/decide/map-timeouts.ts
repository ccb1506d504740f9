import type { Fields } from './litellm-config.js';

export interface RoleTimeouts {
  readonly firstByteTimeoutSeconds?: number;
  readonly totalTimeoutSeconds?: number;
}

const DEFAULT_FIRST_BYTE_SECONDS = 120;
const MAX_SECONDS = 86_400;

/** LiteLLM's limits in seconds, the longest of a group's entries; those of the router and the library where an entry has none. */
export function mapTimeouts(
  params: readonly Fields[],
  sections: Readonly<Record<string, Fields>>,
): RoleTimeouts {
  const router = sections['router_settings'] ?? {};
  const library = sections['litellm_settings'] ?? {};
  const total =
    longest(params, 'timeout') ?? seconds(router['timeout']) ?? seconds(library['request_timeout']);
  const stream = longest(params, 'stream_timeout') ?? seconds(router['stream_timeout']);
  const firstByte = Math.min(stream ?? DEFAULT_FIRST_BYTE_SECONDS, total ?? MAX_SECONDS);
  return {
    ...(firstByte === DEFAULT_FIRST_BYTE_SECONDS ? {} : { firstByteTimeoutSeconds: firstByte }),
    ...(total === undefined ? {} : { totalTimeoutSeconds: total }),
  };
}

function longest(params: readonly Fields[], name: string): number | undefined {
  const given = params.map((each) => seconds(each[name])).filter((each) => each !== undefined);
  return given.length === 0 ? undefined : Math.max(...given);
}

function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && number > 0 && number <= MAX_SECONDS ? number : undefined;
}
