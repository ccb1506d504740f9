import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkFabricValue } from '../declared/check-fabric-value.js';
import { leaveOutUnset } from '../declared/decide/leave-out-unset.js';
import { serialiseDeclaredState } from '../declared/decide/serialise-declared-state.js';
import { parseFabricText } from '../declared/parse-fabric-text.js';
import { readPlacedYaml } from '../declared/read-placed-yaml.js';
import { badFabricFiles } from '../declared/testing/bad-fabric-files.js';
import { declaredFiles } from '../declared/testing/declared-files.js';
import { VALID } from '../declared/testing/fabric-texts.js';
import { writeFabricYaml } from '../declared/write-fabric-yaml.js';
import type { LiveHost } from '../live/live-view.js';
import { TemporaryRegistry } from '../registry/testing/temporary-registry.js';
import { applyDocument, planDocument } from './apply-document.js';
import { ApiError } from './problem.js';

let place: TemporaryRegistry;
let rooms: Parameters<typeof applyDocument>[0];
beforeEach(() => {
  place = new TemporaryRegistry();
  const hosts: LiveHost[] = [];
  rooms = { declared: place.open().declared, live: { hosts: () => hosts } as never };
});
afterEach(() => place.remove());

const current = () => rooms.declared.current();
const apply = (document: Record<string, unknown>, prune = false) =>
  applyDocument(rooms, { document, prune, expectedRevision: current().revision });

function refusal(act: () => unknown): ApiError {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('applying a document', () => {
  const valid = parse(VALID.join('\n')) as Record<string, unknown>;

  it('is done once, and changes nothing the second time', () => {
    expect(apply(valid)).toMatchObject({ changed: true, revision: 1 });
    expect(apply(valid)).toMatchObject({ changed: false, revision: 1, plan: { changes: [], notInFile: [] } });
  });

  it('on another revision is a conflict, also where the document does not fit what is declared now', () => {
    apply(valid);
    const error = refusal(() => applyDocument(rooms, { document: valid, prune: false, expectedRevision: 0 }));
    expect(error).toMatchObject({ code: 'conflict', status: 409 });
    const broken = { version: 1, roles: { x: {} } };
    expect(
      refusal(() => applyDocument(rooms, { document: broken, prune: false, expectedRevision: 7 })).code,
    ).toBe('conflict');
    expect(current().revision).toBe(1);
  });

  it('keeps what is not in it, prunes it when told so', () => {
    apply(valid);
    const { aliases: _, ...rest } = valid;
    expect(apply(rest)).toMatchObject({ changed: false });
    expect(apply(rest, true)).toMatchObject({ changed: true, revision: 2 });
    expect(current().aliases.size).toBe(0);
  });

  it('that does not go together with what is kept is refused as a whole', () => {
    apply(valid);
    const { deployments } = valid as { deployments: Record<string, object> };
    const other = { ...deployments['qwen-armitage'], task: 'embeddings' };
    const error = refusal(() =>
      apply({ version: 1, hosts: { new: {}, armitage: {} }, deployments: { 'qwen-armitage': other } }),
    );
    expect(error).toMatchObject({ code: 'invalid', fix: expect.stringContaining('prune') });
    expect(error.message).toContain('roles.chat-fast.targets[0]');
    expect(current().revision).toBe(1);
  });

  it.each(badFabricFiles)(
    '%s: refused by the reader, and by the server if it is sent all the same',
    (_, text) => {
      apply(valid);
      expect(parseFabricText(text, 'fabric.yaml').ok).toBe(false);
      const sent = readAnyhow(text);
      if (sent === undefined) return;
      expect(refusal(() => apply(sent, true)).code).toBe('invalid');
      expect(current().revision).toBe(1);
    },
  );

  it('any sequence of applies and exports gives back what was applied', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(declaredFiles, fc.boolean()), { minLength: 1, maxLength: 5 }),
        (steps) => {
          for (const [document, prune] of steps) {
            // A file is asked for what it says; it may not fit what it leaves alone.
            if (!fits(document, prune)) continue;
            const { revision } = apply(document, prune);
            const exported = exportAndRead();
            expect(exported.state).toEqual({ ...current(), revision: 0 });
            const same = { changed: false, revision };
            expect(apply(document)).toMatchObject(same);
            expect(apply(exported.document as Record<string, unknown>, true)).toMatchObject(same);
            const { plan } = planDocument(rooms, document, false);
            expect(plan.changes).toEqual([]);
            if (prune) expect(plan.notInFile).toEqual([]);
          }
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);
});

/** As a client that does not check would send it; what is no YAML cannot be sent. */
function readAnyhow(text: string): Record<string, unknown> | undefined {
  const yaml = readPlacedYaml(text);
  const value = yaml.broken ? null : yaml.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  // Told by the reader alone: as a value it may be valid.
  return checkFabricValue(value).ok ? undefined : (value as Record<string, unknown>);
}

function fits(document: Record<string, unknown>, prune: boolean): boolean {
  try {
    planDocument(rooms, document, prune);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'invalid') return false;
    throw error;
  }
}

function exportAndRead() {
  const text = writeFabricYaml(leaveOutUnset({ ...serialiseDeclaredState(current()) }), ['exported']);
  const read = parseFabricText(text, 'fabric.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read;
}
