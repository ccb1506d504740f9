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

/** What a request is, as far as its headers tell. */
export interface SpokenRequest {
  readonly stream: boolean;
  /** The content type of a form, with its boundary; `null`: the body is JSON. */
  readonly formType: string | null;
  /** Of the API that is spoken, for a provider: names and values, alternating. */
  readonly spokenHeaders: readonly string[];
}

/**
 * Headers of a request to an engine or provider: made here, not filtered from the client's, so that no credential,
 * cookie or hop-by-hop header of the client can get there.
 *
 * @returns names and values, alternating
 */
export function engineHeaders(request: SpokenRequest, trace: TraceContext): readonly string[] {
  const base = baseOf(request);
  const { traceparent, tracestate } = trace;
  if (traceparent === undefined) return base;
  const traced = [...base, 'traceparent', traceparent];
  return tracestate === undefined ? traced : [...traced, 'tracestate', tracestate];
}

/**
 * As `engineHeaders`; a provider gets no trace, but its key.
 *
 * @param apiKey `null`: it wants none
 * @param keyHeader where the API that is spoken has its keys
 */
export function providerHeaders(
  request: SpokenRequest,
  apiKey: string | null,
  keyHeader: 'authorization' | 'x-api-key',
): readonly string[] {
  const base = [...baseOf(request), ...request.spokenHeaders];
  if (apiKey === null) return base;
  return [...base, keyHeader, keyHeader === 'authorization' ? `Bearer ${apiKey}` : apiKey];
}

function baseOf({ stream, formType }: SpokenRequest): readonly string[] {
  if (formType !== null) return ['content-type', formType, 'accept', '*/*', 'user-agent', 'ai-fabric'];
  return stream ? FOR_STREAM : FOR_JSON;
}
