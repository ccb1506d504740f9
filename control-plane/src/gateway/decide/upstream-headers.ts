const FOR_JSON: readonly string[] = [
  'content-type',
  'application/json',
  'accept',
  'application/json',
  'user-agent',
  'ai-fabric',
];
const FOR_STREAM: readonly string[] = [
  'content-type',
  'application/json',
  'accept',
  'text/event-stream, application/json',
  'user-agent',
  'ai-fabric',
];

/** W3C trace context: the only headers of the client that an engine gets. */
export interface TraceContext {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/**
 * Headers of a request to an engine or provider: made here, not filtered from the client's, so that no credential,
 * cookie or hop-by-hop header of the client can get there.
 *
 * @param apiKey the provider's; `null` for an engine, which gets the trace instead
 * @returns names and values, alternating
 */
export function upstreamHeaders(
  stream: boolean,
  apiKey: string | null,
  trace: TraceContext,
): readonly string[] {
  const base = stream ? FOR_STREAM : FOR_JSON;
  if (apiKey !== null) return [...base, 'authorization', `Bearer ${apiKey}`];
  const { traceparent, tracestate } = trace;
  if (traceparent === undefined) return base;
  const traced = [...base, 'traceparent', traceparent];
  return tracestate === undefined ? traced : [...traced, 'tracestate', tracestate];
}
