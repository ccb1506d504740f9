import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAgentFrame, decodeServerFrame, encodeFrame } from './decode-frame.js';
import { agentFrameSchema, serverFrameSchema } from './frames.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const folder = new URL('./golden/', import.meta.url);
const golden = readdirSync(folder).map((file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  return { name: file.replace('.json', ''), value: JSON.parse(text) as { [key: string]: Json } };
});
const agentTypes = agentFrameSchema.options.map((option) => option.shape.type.value);
const serverTypes = serverFrameSchema.options.map((option) => option.shape.type.value);

/** Both directions have a goodbye; its shape is the same. */
function decode(value: Json) {
  const type = (value as { type: string }).type;
  const decoder = (agentTypes as string[]).includes(type) ? decodeAgentFrame : decodeServerFrame;
  return decoder(JSON.stringify(value));
}

/** Paths of every field, arrays by index: `body.telemetry.0.host`. */
function* paths(value: Json, prefix: (string | number)[] = []): Generator<(string | number)[]> {
  if (value === null || typeof value !== 'object') return;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [key, child] of entries) {
    const path = [...prefix, key];
    if (typeof key === 'string') yield path;
    yield* paths(child, path);
  }
}

function parentOf(root: Json, path: (string | number)[]): { [key: string]: Json } {
  let at = root;
  for (const key of path.slice(0, -1)) at = (at as { [key: string]: Json })[key] as Json;
  return at as { [key: string]: Json };
}

/** What a frame may lack. Adding a name here widens what is taken; removing one breaks older agents. */
const optional = [
  /^body\.(joinToken|commit|packaged)$/,
  /^body\.(inventory|telemetry|backfill|replicas|orphans|issues|droppedSamples|owner|upgrade)$/,
  /^body\.inventory\.(policy|containerEngine|power)$/,
  /^body\.inventory\.policy\.upgradeMode$/,
  /^body\.inventory\.interfaces\.\d+\.wake$/,
  /^body\.replicas\.\d+\.(progress|phaseSeconds|usualPhaseSeconds|container|drift|fit|growth|port|directKey)$/,
  /^body\.command\.replicas\.\d+\.environment\.[A-Z_]+$/,
  /^body\.command\.replicas\.\d+\.fallbacks\.\d+\.(contextTokens|maxConcurrent|gpuMemoryRatio)$/,
  /^body\.telemetry\.\d+\.(host|gpus|replicas)(\..+)?$/,
];

describe('golden frames', () => {
  it.each(golden)('$name decodes to exactly what is written', ({ value }) => {
    const decoded = decode(value);
    expect(decoded).toStrictEqual({ ok: true, frame: value });
  });

  it.each(golden)('$name is encoded again to the same text', ({ value }) => {
    const decoded = decode(value);
    if (!decoded.ok) throw new Error(decoded.refusal.detail);
    expect(encodeFrame(decoded.frame)).toBe(JSON.stringify(value));
  });

  it('cover every type of both directions', () => {
    const covered = new Set(golden.map(({ value }) => value['type']));
    expect([...covered].sort()).toEqual([...new Set<string>([...agentTypes, ...serverTypes])].sort());
  });

  it.each(golden)('$name without any one field that is not optional is refused', ({ value }) => {
    for (const path of paths(value)) {
      const without = structuredClone(value);
      delete parentOf(without, path)[path.at(-1) as string];
      const mayLack = optional.some((pattern) => pattern.test(path.join('.')));
      expect({ path, ok: decode(without).ok }).toEqual({ path, ok: mayLack });
    }
  });

  it.each(golden.filter(({ value }) => value['type'] !== 'command'))(
    '$name with a field of a later version is taken, without that field',
    ({ value }) => {
      for (const path of paths(value)) {
        const parent = path.join('.').match(/(gpus|replicas)\.[^.]+$/) ? 'record' : 'object';
        if (parent === 'record') continue;
        const more = structuredClone(value);
        parentOf(more, path)['ofALaterVersion'] = { deep: [1] };
        expect(decode(more)).toStrictEqual({ ok: true, frame: value });
      }
    },
  );

  it('refuse a command with a field of a later version anywhere in its body', () => {
    const commands = golden.filter(({ name }) => name.startsWith('command-'));
    expect(commands.length).toBeGreaterThan(1);
    for (const { value } of commands) {
      for (const path of paths(value)) {
        if (path[0] !== 'body' || path.length < 2) continue;
        const more = structuredClone(value);
        parentOf(more, path)['ofALaterVersion'] = 1;
        expect(decode(more)).toMatchObject({ ok: false, refusal: { code: 'invalid' } });
      }
    }
  });
});
