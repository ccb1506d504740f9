import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Clock } from '@ai-fabric/shared';
import { parse } from 'yaml';
import { judgeWakersFile } from '../decide/judge-wakers-file.js';
import { type Waker, wakersFileSchema } from './waker-schema.js';

export type FoundWaker =
  | { readonly ok: true; readonly waker: Waker }
  /** Why there is none of this name to be used, with the fix. */
  | { readonly ok: false; readonly detail: string };

type Read =
  | { readonly ok: true; readonly wakers: Readonly<Record<string, Waker>> }
  | { readonly ok: false; readonly detail: string };

/** An edit counts soon, and a burst of requests reads once. */
const HOLD_MS = 2_000;

/** The wakers of this machine. Their file is read anew after a while; nothing but its name for a waker comes from elsewhere. */
export class WakersFile {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #ownId: number | null;
  #held: { readonly read: Read; readonly untilMs: number } | null = null;

  /** @param ownId of who runs this program; left out, the process's */
  constructor(file: string, clock: Clock, ownId: number | null = process.getuid?.() ?? null) {
    this.#file = file;
    this.#clock = clock;
    this.#ownId = ownId;
  }

  find(name: string): FoundWaker {
    const read = this.#read();
    if (!read.ok) return read;
    const waker = Object.hasOwn(read.wakers, name) ? read.wakers[name] : undefined;
    if (waker !== undefined) return { ok: true, waker };
    const known = Object.keys(read.wakers).sort().join(', ') || 'none';
    return { ok: false, detail: `${this.#file} has no waker of this name; it has: ${known}` };
  }

  #read(): Read {
    const nowMs = this.#clock.monotonicMs();
    if (this.#held === null || this.#held.untilMs <= nowMs) {
      this.#held = { read: readWakers(this.#file, this.#ownId), untilMs: nowMs + HOLD_MS };
    }
    return this.#held.read;
  }
}

function readWakers(file: string, ownId: number | null): Read {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? 'is not there: make it' : `cannot be read (${String(error)}): mend that`;
    return { ok: false, detail: `${file} ${why} (docs/waking.md)` };
  }
  try {
    const { uid, mode, size } = fstatSync(handle);
    const wrong = judgeWakersFile({ file, ownerId: uid, mode, ownId, sizeBytes: size });
    if (wrong !== null) return { ok: false, detail: wrong };
    return checkWakers(file, readFileSync(handle, 'utf8'));
  } catch (error) {
    return { ok: false, detail: `${file} cannot be read: ${String(error)}` };
  } finally {
    closeSync(handle);
  }
}

function checkWakers(file: string, text: string): Read {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return { ok: false, detail: `${file} is no YAML: ${String(error).slice(0, 200)}` };
  }
  const checked = wakersFileSchema.safeParse(document);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    return { ok: false, detail: `${file}: ${issue?.path.join('.')}: ${issue?.message}` };
  }
  const { wakers } = checked.data;
  for (const [name, waker] of Object.entries(wakers)) {
    const program = 'command' in waker ? waker.command[0] : undefined;
    if (program !== undefined && !isAbsolute(program)) {
      return { ok: false, detail: `${file}: wakers.${name}.command: "${program}" is no absolute path` };
    }
  }
  return { ok: true, wakers };
}
