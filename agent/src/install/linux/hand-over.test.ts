import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handOver } from './hand-over.js';

const AGENT = 4711;
/** A number out of the account's own range, as a container's files have. */
const WITHIN_CONTAINER = 2_001_000;

let root: string;
let state: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hand-over-'));
  state = join(root, 'state');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (path: string): string => join(state, path);
const ownerOf = (path: string): string => {
  const { uid, gid } = lstatSync(path);
  return `${uid}:${gid}`;
};
const folder = (path: string, owner: number): void => {
  mkdirSync(at(path), { recursive: true });
  chownSync(at(path), owner, owner);
};
const file = (path: string, owner: number): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), '');
  chownSync(at(path), owner, owner);
};

// Nobody but root can give a file away.
describe.skipIf(process.getuid?.() !== 0)('what root wrote in the state folder', () => {
  const run = (): Promise<void> => handOver(state, { uid: AGENT, gid: AGENT });

  it('becomes the agent’s, in folders of root’s too', async () => {
    folder('.', AGENT);
    for (const path of ['agent.json', 'upgrade/manifest.json', 'upgrade/deeper/part']) file(path, 0);
    await run();
    for (const path of ['agent.json', 'upgrade', 'upgrade/manifest.json', 'upgrade/deeper/part']) {
      expect(ownerOf(at(path)), path).toBe('4711:4711');
    }
  });

  it('becomes the agent’s with the folder itself', async () => {
    file('agent.json', 0);
    await run();
    expect([state, at('agent.json')].map(ownerOf)).toEqual(['4711:4711', '4711:4711']);
  });

  it('is all that changes hands: a rootless engine’s storage keeps its owners', async () => {
    const volumes = '.local/share/containers/storage/volumes';
    for (const path of ['.', '.local', '.local/share', '.local/share/containers']) folder(path, AGENT);
    file(`${volumes}/models/_data/weights`, WITHIN_CONTAINER);
    file(`${volumes}/models/_data/of-root`, 0);
    file('lent', WITHIN_CONTAINER);
    await run();
    expect(ownerOf(at(`${volumes}/models/_data/weights`))).toBe('2001000:2001000');
    expect(ownerOf(at(`${volumes}/models/_data/of-root`))).toBe('0:0');
    expect(ownerOf(at('lent'))).toBe('2001000:2001000');
  });

  it('is nothing that a link leads to', async () => {
    folder('.', AGENT);
    const elsewhere = join(root, 'etc');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'shadow'), '');
    symlinkSync(elsewhere, at('upgrade'));
    symlinkSync(join(elsewhere, 'shadow'), at('agent.json'));
    await run();
    expect([elsewhere, join(elsewhere, 'shadow')].map(ownerOf)).toEqual(['0:0', '0:0']);
    expect(ownerOf(at('agent.json'))).toBe('4711:4711');
  });

  it('becomes the agent’s also where its owner put the folder on another disk', async () => {
    const disk = join(root, 'disk');
    mkdirSync(disk);
    writeFileSync(join(disk, 'agent.json'), '');
    symlinkSync(disk, state);
    await run();
    expect([disk, join(disk, 'agent.json')].map(ownerOf)).toEqual(['4711:4711', '4711:4711']);
  });
});
