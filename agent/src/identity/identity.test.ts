import { createPublicKey, verify } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentState, readAgentState, writeAgentState } from './agent-state.js';
import { loadHostKey } from './host-key.js';
import { machineSha256 } from './machine-id.js';
import { privateFiles, StateFileError } from './private-files.js';

const posix = process.platform !== 'win32';
const files = privateFiles({ platform: process.platform, windowsDirectory: 'C:\\Windows' });
const state: AgentState = {
  serverUrl: 'https://motoko:8443',
  certificateSha256: 'ab'.repeat(32),
  hostId: 'host-1',
  hostName: 'armitage',
};
let directory: string;
const owner = (isService = false) => ({ stateDirectory: directory, isService, platform: process.platform });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-identity-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the host key', () => {
  test('is made once and is the same on every later start', async () => {
    const first = await loadHostKey(directory, files);
    expect((await loadHostKey(directory, files)).publicKey).toBe(first.publicKey);
  });

  test('signs what its public half verifies', async () => {
    const key = await loadHostKey(directory, files);
    const publicKey = createPublicKey({
      key: Buffer.from(key.publicKey, 'base64'),
      type: 'spki',
      format: 'der',
    });
    const verified = (text: string): boolean =>
      verify(null, Buffer.from(text), publicKey, Buffer.from(key.sign('a nonce'), 'base64'));
    expect(verified('a nonce')).toBe(true);
    expect(verified('another nonce')).toBe(false);
  });

  test.runIf(posix)('lies in a file that only its owner can read', async () => {
    await loadHostKey(directory, files);
    expect((await stat(join(directory, 'host-key.pem'))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['host-key.pem']);
  });

  test.runIf(posix)('that others can read is refused, with the chmod that mends it', async () => {
    await loadHostKey(directory, files);
    await chmod(join(directory, 'host-key.pem'), 0o644);
    await expect(loadHostKey(directory, files)).rejects.toThrow(/mode 644.*chmod 600/);
  });

  test('that a service manager hands over is the one, whatever its mode, and none is made', async () => {
    const credentials = await mkdtemp(join(tmpdir(), 'credentials-'));
    const given = await loadHostKey(credentials, files);
    await chmod(join(credentials, 'host-key.pem'), 0o440);
    const key = await loadHostKey(directory, files, credentials);
    expect(key.publicKey).toBe(given.publicKey);
    expect(await readdir(directory)).toEqual([]);
    await rm(credentials, { recursive: true });
  });

  test('lies in the state directory where the service manager hands over others alone', async () => {
    const own = await loadHostKey(directory, files);
    const elsewhere = join(directory, 'no-such-folder');
    expect((await loadHostKey(directory, files, elsewhere)).publicKey).toBe(own.publicKey);
  });

  test('that is no key is refused by name, and its content is not repeated', async () => {
    const path = join(directory, 'host-key.pem');
    await writeFile(path, 'geheim', { mode: 0o600 });
    const error: unknown = await loadHostKey(directory, files).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StateFileError);
    expect(String(error)).toContain(path);
    expect(String(error)).not.toContain('geheim');
  });
});

describe('the state file', () => {
  test('gives back what was written', async () => {
    await writeAgentState(directory, state, files);
    expect(await readAgentState(owner(), files)).toEqual(state);
  });

  test('is not there before a join', async () => {
    expect(await readAgentState(owner(), files)).toBeNull();
  });

  test.each([
    ['an empty file', ''],
    ['half a file', '{"version":1,"serverUrl":"https://mo'],
    ['another shape', '[]'],
    ['a newer version', JSON.stringify({ version: 2, ...state })],
    ['a bad fingerprint', JSON.stringify({ version: 1, ...state, certificateSha256: 'AB:CD' })],
  ])('that holds %s is named, with the fix', async (_what, text) => {
    await writeFile(join(directory, 'agent.json'), text, { mode: 0o600 });
    await expect(readAgentState(owner(), files)).rejects.toThrow(/agent\.json.* is damaged.*join --force/s);
    // A join by hand would join by another key than the service has.
    const ofService = await readAgentState(owner(true), files).catch(String);
    expect(ofService).toMatch(/is damaged.*--rejoin/s);
    expect(ofService).not.toContain('join --force');
  });

  test('is never seen half-written by a reader', async () => {
    await writeAgentState(directory, state, files);
    let writing = true;
    const write = (async () => {
      for (let round = 0; round < 30; round += 1) {
        await writeAgentState(directory, { ...state, hostId: `host-${round}` }, files);
      }
      writing = false;
    })();
    while (writing) expect(await readAgentState(owner(), files)).not.toBeNull();
    await write;
  });
});

describe('the state directory', () => {
  test.runIf(posix)('is made for its owner alone', async () => {
    const made = join(directory, 'a', 'b');
    await files.prepare(made);
    expect((await stat(made)).mode & 0o777).toBe(0o700);
  });

  test.runIf(posix)('that others can write to is refused', async () => {
    await chmod(directory, 0o777);
    await expect(files.prepare(directory)).rejects.toThrow(/Others can write.*chmod 700/);
  });

  test('that is a file is refused by name', async () => {
    const path = join(directory, 'taken');
    await writeFile(path, '');
    await expect(files.prepare(path)).rejects.toThrow(path);
  });

  test('on Windows is given to SYSTEM and Administrators alone', async () => {
    const calls: string[][] = [];
    const windows = privateFiles({
      platform: 'win32',
      windowsDirectory: 'C:\\Windows',
      run: (file, args) => {
        calls.push([file, ...args]);
        return Promise.resolve('');
      },
    });
    await windows.prepare(directory);
    expect(calls).toEqual([
      [
        'C:\\Windows\\System32\\icacls.exe',
        directory,
        '/inheritance:r',
        '/grant:r',
        '*S-1-5-18:(OI)(CI)F',
        '*S-1-5-32-544:(OI)(CI)F',
      ],
    ]);
  });

  test('on a Windows disk without ACLs works all the same', async () => {
    const windows = privateFiles({
      platform: 'win32',
      windowsDirectory: 'C:\\Windows',
      run: () => Promise.reject(new Error('not supported')),
    });
    await windows.prepare(directory);
    await windows.write(join(directory, 'x'), 'text');
    expect(await windows.read(join(directory, 'x'))).toBe('text');
  });

  test('a file too large to be ours is refused before it is read', async () => {
    await writeFile(join(directory, 'agent.json'), 'x'.repeat(100_000), { mode: 0o600 });
    await expect(readAgentState(owner(), files)).rejects.toThrow(/not a file that an agent wrote/);
  });

  test.runIf(posix)('a dangling link in the place of the state file is as good as none', async () => {
    await symlink(join(directory, 'nowhere'), join(directory, 'agent.json'));
    expect(await readAgentState(owner(), files)).toBeNull();
  });
});

describe('the machine id', () => {
  const options = { windowsDirectory: 'C:\\Windows', files };
  const windowsOutput =
    '\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\r\n    MachineGuid    REG_SZ    2F0A7B4C-11D2-4C3E-9D1B-0123456789AB\r\n\r\n';

  test('of Linux is hashed, never told', async () => {
    const id = '0123456789abcdef0123456789abcdef';
    await writeFile(join(directory, 'etc'), `${id}\n`);
    const hash = await machineSha256({
      ...options,
      platform: 'linux',
      stateDirectory: directory,
      linuxPaths: [join(directory, 'etc')],
    });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hash).not.toContain(id);
    expect(await readdir(directory)).toEqual(['etc']);
  });

  test('of Windows comes from the registry', async () => {
    const hash = await machineSha256({
      ...options,
      platform: 'win32',
      stateDirectory: directory,
      run: () => Promise.resolve(windowsOutput),
    });
    const lower = await machineSha256({
      ...options,
      platform: 'win32',
      stateDirectory: directory,
      run: () =>
        Promise.resolve(
          windowsOutput.toLowerCase().replace('machineguid    reg_sz', 'MachineGuid    REG_SZ'),
        ),
    });
    expect(lower).toBe(hash);
  });

  test.each<[string, NodeJS.Platform, string]>([
    ['a Linux whose id is not set yet', 'linux', 'uninitialized'],
    ['a Windows whose registry does not answer', 'win32', ''],
    ['another system', 'darwin', ''],
  ])('of %s is made once and kept', async (_what, platform, text) => {
    await writeFile(join(directory, 'etc'), text);
    const read = (): Promise<string> =>
      machineSha256({
        ...options,
        platform,
        stateDirectory: directory,
        linuxPaths: [join(directory, 'etc')],
        run: () => Promise.reject(new Error('no registry')),
      });
    const first = await read();
    expect(await read()).toBe(first);
    expect((await readFile(join(directory, 'machine-id'), 'utf8')).length).toBeGreaterThan(30);
  });
});
