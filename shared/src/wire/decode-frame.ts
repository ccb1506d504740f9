import type { z } from 'zod';
import { type AgentFrame, agentFrameSchema, type ServerFrame, serverFrameSchema } from './frames.js';
import { MAX_FRAME_BYTES } from './limits.js';
import { takePlainReport } from './plain-report.js';

export type FrameRefusal =
  | { code: 'too_large'; detail: string }
  | { code: 'not_text'; detail: string }
  | { code: 'not_json'; detail: string }
  | { code: 'unknown_type'; detail: string }
  | { code: 'invalid'; detail: string };

export type Decoded<Frame> = { ok: true; frame: Frame } | { ok: false; refusal: FrameRefusal };

/** Decodes what an agent sent. Never throws. */
export function decodeAgentFrame(data: string | Uint8Array): Decoded<AgentFrame> {
  return decodeFrame(data, agentFrameSchema, agentTypes, takePlainReport);
}

/** Decodes what the control plane sent. Never throws. */
export function decodeServerFrame(data: string | Uint8Array): Decoded<ServerFrame> {
  return decodeFrame(data, serverFrameSchema, serverTypes);
}

/** A frame as text, ready to send. */
export function encodeFrame(frame: AgentFrame | ServerFrame): string {
  return JSON.stringify(frame);
}

const agentTypes = new Set<string>(['hello', 'report', 'outcome', 'goodbye']);
const serverTypes = new Set<string>(['challenge', 'welcome', 'ack', 'command', 'goodbye']);
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeFrame<Frame>(
  data: string | Uint8Array,
  schema: z.ZodType<Frame>,
  knownTypes: ReadonlySet<string>,
  takePlain: (value: unknown) => Frame | null = () => null,
): Decoded<Frame> {
  // A JavaScript string of n code units is at least n bytes of UTF-8.
  const lengthBytes = data.length;
  if (lengthBytes > MAX_FRAME_BYTES) {
    return refuse('too_large', `a frame of ${lengthBytes} bytes; at most ${MAX_FRAME_BYTES} are taken`);
  }
  let text: string;
  try {
    text = typeof data === 'string' ? data : utf8.decode(data);
  } catch {
    return refuse('not_text', 'a frame that is not UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('not_json', 'a frame that is not JSON');
  }
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (typeof type !== 'string' || !knownTypes.has(type)) {
    return refuse('unknown_type', `a frame of type ${quote(type)}; known are ${[...knownTypes].join(', ')}`);
  }
  const plain = takePlain(value);
  if (plain !== null) return { ok: true, frame: plain };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const issue = parsed.error.issues[0];
  return refuse(
    'invalid',
    `${type}: ${issue?.path.join('.') || 'frame'}: ${issue?.message ?? 'invalid'}`.slice(0, 300),
  );
}

function refuse(code: FrameRefusal['code'], detail: string): { ok: false; refusal: FrameRefusal } {
  return { ok: false, refusal: { code, detail } };
}

/** Only text is quoted: to stringify what a peer nested 100,000 deep would run out of stack. */
function quote(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value;
}
