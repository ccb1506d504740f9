import type { Clock } from '@ai-fabric/shared';
import { type EngineHttp, engineHttp } from '../../sensors/engine/engine-http.js';
import type { Findings } from '../findings.js';
import { fileNameOf } from './part-tools.js';

const ANSWER_MS = 5_000;
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
const QUESTIONS = [
  ['metrics.txt', '/metrics'],
  ['models.json', '/v1/models'],
  ['version.json', '/version'],
] as const;

/** What the engine of a replica says of itself, word for word; it is asked as the agent asks. */
export async function takeEngine(
  findings: Findings,
  {
    deployment,
    url,
    key,
  }: { readonly deployment: string; readonly url: string; readonly key: string | null },
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (key !== null) findings.secret({ origin: `the key of the engine of ${deployment}`, value: key });
  const client = engineHttp(clock);
  try {
    for (const [file, path] of QUESTIONS) {
      const name = `engines/${fileNameOf(deployment)}/${file}`;
      const problem = await takeAnswer(findings, client, { name, url, path, key }, signal);
      if (problem !== null) findings.lack(name, problem);
    }
  } finally {
    client.close();
  }
}

interface Question {
  readonly name: string;
  readonly url: string;
  readonly path: string;
  readonly key: string | null;
}

/** @returns why there is no answer */
async function takeAnswer(
  findings: Findings,
  client: EngineHttp,
  { name, url, path, key }: Question,
  signal: AbortSignal,
): Promise<string | null> {
  const base = url.replace(/\/+$/, '').replace(/\/v1$/, '');
  try {
    const { status, body } = await client.request({
      ...{ method: 'GET', url: new URL(`${base}${path}`), signal },
      ...(key === null ? {} : { headers: { authorization: `Bearer ${key}` } }),
      ...{ deadlineMs: ANSWER_MS, maxBytes: MAX_ANSWER_BYTES },
    });
    findings.file({ name, text: body.toString('utf8'), source: `${base}${path}`, answer: status });
    return null;
  } catch (error) {
    return `${base}${path}: the engine ${error instanceof Error ? error.message : String(error)}`;
  }
}
