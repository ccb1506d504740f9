import { type Finding, finding } from '../finding.js';
import type { SmokeResult } from '../smoke-result.js';

/** What a smoke test found, in the form that is compared from run to run. */
export function smokeFindings(results: readonly SmokeResult[]): Finding[] {
  return results.map((result) => {
    const where = { kind: result.kind, name: result.name } as const;
    const way = result.stream ? 'streaming: ' : '';
    const severity = SEVERITIES[result.outcome];
    const code = `smoke_${result.stream ? 'stream_' : ''}${result.code}`;
    const more = result.fix === null ? {} : { fix: result.fix };
    return finding(severity, code, where, `${way}${result.what}`, { ...more, latencyMs: result.latencyMs });
  });
}

const SEVERITIES = { ok: 'ok', away: 'ok', skipped: 'info', broken: 'error' } as const;
