import type { IncomingHttpHeaders } from 'node:http';
import type { EngineEndpoint } from '../decide/match-endpoint.js';
import type { BodyScan } from './body-scan.js';
import { FormBodyScan } from './form-body-scan.js';
import { JsonBodyScan } from './json-body-scan.js';

/** What reads a body of this kind as it comes. */
export function openBodyScan(kind: EngineEndpoint['body'], headers: IncomingHttpHeaders): BodyScan {
  return kind === 'multipart' ? new FormBodyScan(headers['content-type']) : new JsonBodyScan(kind);
}
