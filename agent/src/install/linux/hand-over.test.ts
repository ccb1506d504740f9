import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handOver } from './hand-over.js';

const AGENT = 4711;
/** A number out of the account's own range, as a container's files have. */
const WITHIN_CONTAINER = 2_001_000;

/** Of an agent that somebody took over: for ever, as fast as it can. */
const SWAPS = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
  const { folder, aside, elsewhere } = require('node:worker_threads').workerData;
  for (;;) {
    renameSync(folder, aside);
    symlinkSync(elsewhere, folder);
    unlinkSync(folder);
    renameSync(aside, folder);
  }`;

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

  it('is not looked for where a link stands in the place of the folder itself', async () => {
    const disk = join(root, 'disk');
    mkdirSync(disk);
    writeFileSync(join(disk, 'foreign'), '');
    symlinkSync(disk, state);
    await expect(run()).rejects.toThrow(/ENOTDIR|ELOOP/);
    expect([disk, join(disk, 'foreign')].map(ownerOf)).toEqual(['0:0', '0:0']);
  });

  it('is not looked for elsewhere by an agent that puts a link in the place of a folder meanwhile', async () => {
    folder('.', AGENT);
    file('upgrade/part', 0);
    const elsewhere = join(root, 'etc');
    mkdirSync(elsewhere);
    for (let index = 0; index < 20; index += 1) writeFileSync(join(elsewhere, `file-${index}`), '');
    const held = [openSync(at('upgrade'), 'r'), openSync(at('upgrade/part'), 'r')];
    const swaps = new Worker(SWAPS, {
      eval: true,
      workerData: { folder: at('upgrade'), aside: at('aside'), elsewhere },
    });
    let [handedOver, refused] = [0, 0];
    try {
      await once(swaps, 'online');
      for (let round = 0; round < 400; round += 1) {
        for (const each of held) fchownSync(each, 0, 0);
        const error = await run().catch((caught: NodeJS.ErrnoException) => caught);
        if (error) {
          expect(['ENOTDIR', 'ELOOP', 'ENOENT']).toContain(error.code);
          refused += 1;
        } else if (held.every((each) => fstatSync(each).uid === AGENT)) handedOver += 1;
      }
    } finally {
      await swaps.terminate();
      for (const each of held) closeSync(each);
    }
    const owners = readdirSync(elsewhere).map((name) => ownerOf(join(elsewhere, name)));
    expect(new Set([ownerOf(elsewhere), ...owners])).toEqual(new Set(['0:0']));
    expect(handedOver, `${refused} of 400 met a link`).toBeGreaterThan(0);
  });
});
