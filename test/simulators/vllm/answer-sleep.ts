import { begin, sendJson } from '../common/reply-writer.js';
import type { Exchange } from './serving.js';

/** `POST /sleep?level=1`: the weights go into main memory, the card is free. */
export async function answerSleep({ engine, response }: Exchange): Promise<void> {
  engine.asleep = true;
  begin(response, 200, { 'content-length': '0' });
  response.end();
}

export async function answerWakeUp({ engine, response }: Exchange): Promise<void> {
  engine.asleep = false;
  begin(response, 200, { 'content-length': '0' });
  response.end();
}

export function answerIsSleeping({ engine, response }: Exchange): Promise<void> {
  return sendJson(response, 200, { is_sleeping: engine.asleep });
}
