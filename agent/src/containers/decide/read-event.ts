import { z } from 'zod';
import type { ContainerEventKind, ContainerHappening } from '../container-engine.js';

const eventSchema = z.object({
  Type: z.string().catch('container'),
  Action: z.string().optional(),
  status: z.string().optional(),
  Actor: z
    .object({ ID: z.string().catch(''), Attributes: z.record(z.string(), z.string()).nullish().catch(null) })
    .nullish()
    .catch(null),
  id: z.string().optional(),
  time: z.number().optional().catch(undefined),
  timeNano: z.number().optional().catch(undefined),
});

const KINDS: Readonly<Record<string, ContainerEventKind>> = {
  create: 'create',
  start: 'start',
  die: 'die',
  // Podman 3's.
  died: 'die',
  stop: 'stop',
  kill: 'kill',
  destroy: 'remove',
  remove: 'remove',
  pause: 'pause',
  unpause: 'unpause',
  oom: 'oom',
};

/** Attributes that the engines put among the labels. */
const OWN = new Set([
  'name',
  'image',
  'exitCode',
  'containerExitCode',
  'podId',
  'signal',
  'execDuration',
  'execID',
]);

/** One line of `GET /events`. @returns `null` for what concerns nobody here */
export function readEvent(line: unknown): ContainerHappening | null {
  const read = eventSchema.safeParse(line);
  if (!read.success || read.data.Type !== 'container') return null;
  const { Action, status, Actor, id, time, timeNano } = read.data;
  // A health check's, among others, carries its outcome behind a colon.
  const kind = KINDS[(Action ?? status ?? '').split(':', 1)[0] ?? ''];
  const containerId = Actor?.ID || id;
  if (kind === undefined || !containerId) return null;
  const attributes = Actor?.Attributes ?? {};
  return {
    kind,
    id: containerId,
    name: attributes['name'] ?? '',
    labels: Object.fromEntries(Object.entries(attributes).filter(([name]) => !OWN.has(name))),
    atMs: timeNano !== undefined ? Math.floor(timeNano / 1e6) : (time ?? 0) * 1000,
    exitCode: kind === 'die' ? readExitCode(attributes['exitCode'] ?? attributes['containerExitCode']) : null,
  };
}

function readExitCode(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : null;
}
