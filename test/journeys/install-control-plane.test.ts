import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlPlaneArchive } from '../harness/control-plane-archive.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';

const SCRIPT = fileURLToPath(new URL('../../installers/install-control-plane.sh', import.meta.url));
const isRoot = process.getuid?.() === 0;
/** The plainest shell that is there: what works in dash works in any. */
const SHELL = existsSync('/bin/dash') ? '/bin/dash' : '/bin/sh';

interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(process.platform !== 'linux')('install-control-plane.sh', () => {
  let place: TemporaryDirectory;
  let archive: ControlPlaneArchive;
  let image: string;
  /** Found before the system's programs. */
  let programs: string;

  const run = async (...args: readonly string[]): Promise<Run> => {
    const script = join(archive.folder, 'install-control-plane.sh');
    return await runShell(script, args, programs);
  };
  const play = (name: string, body: string): void => {
    writeFileSync(join(programs, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(programs, name), 0o755);
  };

  beforeEach(() => {
    place = temporaryDirectory();
    archive = ControlPlaneArchive.assemble(place.path, { kind: 'thin' });
    image = join(place.path, 'image');
    programs = join(place.path, 'programs');
    for (const each of [programs, image, join(image, 'etc'), join(image, 'usr/local/bin')]) {
      mkdirSync(each, { recursive: true });
    }
    writeFileSync(join(image, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
    writeFileSync(join(image, 'etc/group'), 'root:x:0:\n');
    writeFileSync(join(image, 'etc/shadow'), 'root:*:19000:0:99999:7:::\n');
  });
  afterEach(() => place.remove());

  it('explains itself', async () => {
    const { exitCode, stdout } = await run('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: install-control-plane.sh [ARCHIVE] [options]');
    expect(stdout).toContain('--replace-litellm');
  });

  it('tells what it would do, and does nothing', async () => {
    const { exitCode, stdout, stderr } = await run('--dry-run', '--root', image, '--port', '8100');
    if (!isRoot) {
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining('only root'),
      });
      return;
    }
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('make the user ai-fabric, without a login');
    expect(stdout).toContain('set AI_FABRIC_PORT=8100 in /etc/ai-fabric/control-plane.env');
    expect(readdirSync(image)).toEqual(['etc', 'usr']);
  });

  it('refuses an archive that is not what was packed, before it runs anything of it', async () => {
    archive.writeProgram('touch "$home/../it-ran"; exit 0');
    const { exitCode, stderr } = await run('--root', image);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('bin/ai-fabric: FAILED');
    expect(stderr).toContain('nothing was changed');
    expect(existsSync(join(place.path, 'it-ran'))).toBe(false);
    rmSync(join(archive.folder, 'SHA256SUMS'));
    expect((await run()).stderr).toContain('SHA256SUMS is missing');
  });

  it('refuses an archive to which something was added', async () => {
    writeFileSync(join(archive.folder, 'more'), '');
    const { exitCode, stderr } = await run('--root', image);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('more does not belong to it');
  });

  describe.skipIf(!existsSync('/usr/bin/openssl'))('with --release-key', () => {
    const ours = generateKeyPairSync('ed25519');
    const theirs = generateKeyPairSync('ed25519');
    const take = async (): Promise<Run> => {
      const keyFile = join(place.path, 'release-key.pub.pem');
      writeFileSync(keyFile, ours.publicKey.export({ format: 'pem', type: 'spki' }));
      return await run('--dry-run', '--root', image, '--release-key', keyFile);
    };

    it('goes on where that key signed the archive', async () => {
      archive.seal(ours.privateKey);
      const { exitCode, stderr } = await take();
      if (isRoot) expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      else expect(stderr).toContain('only root');
    });

    it.each<[string, string, () => void]>([
      ['is not signed', 'is not signed', () => archive.seal()],
      ['another key signed', 'is not signed by', () => archive.seal(theirs.privateKey)],
      [
        'was changed since, with its list',
        'is not signed by',
        () => {
          archive.seal(ours.privateKey);
          archive.writeProgram('touch "$home/../it-ran"; exit 0');
          archive.seal();
        },
      ],
    ])('refuses an archive that %s, before it runs anything of it', async (_, why, spoil) => {
      spoil();
      const { exitCode, stderr } = await take();
      expect(exitCode).toBe(4);
      expect(stderr).toContain(why);
      expect(existsSync(join(place.path, 'it-ran'))).toBe(false);
    });

    it('says where the key is not', async () => {
      expect(await run('--release-key', join(place.path, 'none.pem'))).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('none.pem is not there'),
      });
      expect(await run('--release-key')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('--release-key names no file'),
      });
    });
  });

  it('refuses another kind of machine', async () => {
    play('uname', '[ "$1" = -m ] && echo aarch64 || echo Linux');
    expect(await run()).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('this machine is aarch64'),
    });
    play('uname', 'echo Darwin');
    expect(await run()).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('this is Darwin') });
  });

  it('says what is wrong with its arguments, and where no archive is', async () => {
    expect(await run('--port', '80000')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--port: expected a port from 0 to 65535, found "80000"'),
    });
    expect(await run('--prot', '80')).toMatchObject({ exitCode: 2 });
    expect(await runShell(SCRIPT, [join(place.path, 'none.tar.gz')], programs)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('none.tar.gz is not there'),
    });
    expect(await runShell(SCRIPT, [], programs)).toMatchObject({ exitCode: 2 });
  });

  it('leaves nothing of an archive that it unpacked and that is no archive', async () => {
    const file = join(place.path, 'broken.tar.gz');
    writeFileSync(file, 'no archive');
    const scratch = join(place.path, 'scratch');
    mkdirSync(scratch);
    const { exitCode, stderr } = await runShell(SCRIPT, [file], programs, { TMPDIR: scratch });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('broken.tar.gz cannot be unpacked');
    expect(readdirSync(scratch)).toEqual([]);
  });

  describe.skipIf(!isRoot || !existsSync('/usr/bin/systemctl'))('into an image', () => {
    const read = (path: string): string => readFileSync(join(image, path), 'utf8');
    const listing = (): string[] =>
      readdirSync(image, { recursive: true, encoding: 'utf8' })
        // Copies that the tools of the system keep.
        .filter((name) => !/^etc\/(passwd|group|g?shadow|sub[ug]id)-?$/.test(name))
        .toSorted();

    it('puts all in its place, starts nothing, overwrites no configuration, and can be run again', async () => {
      const host = ['--host', '100.64.0.1'];
      const first = await run('--root', image, ...host);
      expect(first).toMatchObject({ exitCode: 0, stderr: '' });
      expect(first.stdout).toContain('Next: it starts when the image boots.');
      expect(read('etc/ai-fabric/control-plane.env')).toContain('\nAI_FABRIC_HOST=127.0.0.1,100.64.0.1\n');
      expect(read('etc/systemd/system/ai-fabric.service')).toContain('X-AIFabric=control-plane');
      // The link says where it leads once the image runs.
      expect(readdirSync(join(image, 'etc/systemd/system/multi-user.target.wants'))).toEqual([
        'ai-fabric.service',
      ]);
      expect(read('etc/ai-fabric/fabric.yaml')).toContain('version: 1');
      appendFileSync(join(image, 'etc/ai-fabric/fabric.yaml'), '# mine\n');
      appendFileSync(join(image, 'etc/ai-fabric/control-plane.env'), 'AI_FABRIC_LOG_LEVEL=debug\n');
      const before = listing();
      const again = await run('--root', image, ...host, '--json');
      expect(JSON.parse(again.stdout)).toMatchObject({ kind: 'repair', running: false, notes: [] });
      expect(listing()).toEqual(before);
      expect(read('etc/ai-fabric/fabric.yaml')).toContain('# mine');
      expect(read('etc/ai-fabric/control-plane.env')).toContain('AI_FABRIC_LOG_LEVEL=debug');
    });

    it('and out of it again: what was made is gone, what stays is told', async () => {
      const before = listing();
      expect(await run('--root', image)).toMatchObject({ exitCode: 0 });
      const removed = await run('--uninstall', '--root', image);
      expect(removed).toMatchObject({ exitCode: 0, stderr: '' });
      expect(removed.stdout).toMatch(/What stays:\n {2}\/etc\/ai-fabric .*\n {2}\/var\/lib\/ai-fabric /);
      expect(existsSync(join(image, 'opt/ai-fabric'))).toBe(false);
      expect(read('etc/ai-fabric/fabric.yaml')).toContain('version: 1');
      expect(await run('--uninstall', '--purge', '--yes', '--root', image)).toMatchObject({ exitCode: 0 });
      const left = listing().filter((name) => !before.includes(name));
      // Directories of the system that an image without systemd does not have.
      expect(left.filter((name) => !/^(opt|var|var\/lib|etc\/systemd.*)$/.test(name))).toEqual([]);
    });

    it('leaves a service and a command alone that are somebody else’s', async () => {
      mkdirSync(join(image, 'etc/systemd/system'), { recursive: true });
      writeFileSync(join(image, 'etc/systemd/system/ai-fabric.service'), '[Service]\nExecStart=/bin/true\n');
      expect(await run('--root', image)).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining('is there already and is not ours'),
      });
      rmSync(join(image, 'etc/systemd/system/ai-fabric.service'));
      writeFileSync(join(image, 'usr/local/bin/ai-fabric'), 'mine');
      const { exitCode, stdout } = await run('--root', image);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("/usr/local/bin/ai-fabric is somebody else's and stays");
      expect(read('usr/local/bin/ai-fabric')).toBe('mine');
    });

    it('is not asked to purge where nobody can be asked', async () => {
      await run('--root', image);
      const { exitCode, stderr } = await run('--uninstall', '--purge', '--root', image);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('add --yes');
      expect(existsSync(join(image, 'opt/ai-fabric'))).toBe(true);
    });
  });
});

async function runShell(
  script: string,
  args: readonly string[],
  programs: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const env = { PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin`, ...environment };
  const child = spawn(SHELL, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...output };
}
