import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstallRequest } from '../install-steps.js';
import { carryOutStep } from './carry-out-step.js';
import type { LinuxStep } from './decide/linux-steps.js';
import { removeMade } from './remove-made.js';

const request: InstallRequest = {
  ...{ server: null, token: 'aifj_x', name: null, release: null, engineAccess: null, dockerLogonTask: null },
  ...{ newIdentity: false, rejoin: false, allowDowngrade: false },
};

let root: string;
let ran: string[];
let missing: readonly string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'linux-'));
  ran = [];
  missing = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Every account is the one that the test runs as, for its files can be given to no other. */
const runTool = (file: string, args: readonly string[]): Promise<string> => {
  const call = [file, ...args].join(' ');
  ran.push(call);
  if (missing.some((each) => call.startsWith(each)))
    return Promise.reject(new Error(`${file}: does not exist`));
  if (file === 'id' && args[0] !== '-nG') {
    const own = args[0] === '-u' ? process.getuid?.() : process.getgid?.();
    return Promise.resolve(`${own === 0 ? 1 : own}\n`);
  }
  return Promise.resolve('');
};

const carryOut = (
  step: object,
  join_: () => Promise<string> = () => Promise.resolve('as armitage'),
  wish: Partial<InstallRequest> = {},
): Promise<string | null> =>
  carryOutStep({ root, runTool, join: join_ }, { tells: '', makes: [], ...step } as unknown as LinuxStep, {
    ...request,
    ...wish,
  });
const at = (path: string): string => join(root, path);
const modeOf = async (path: string): Promise<string> => ((await stat(at(path))).mode & 0o777).toString(8);

describe('a step', () => {
  it('makes a folder with its rights, also over one that has others', async () => {
    await mkdir(at('/etc/ai-fabric-agent'), { recursive: true, mode: 0o777 });
    const step = { kind: 'make_folder', path: '/etc/ai-fabric-agent', mode: 0o755, owner: null };
    await carryOut(step);
    await carryOut(step);
    expect(await modeOf('/etc/ai-fabric-agent')).toBe('755');
  });

  it('lets others in where its caller would keep all to themselves', async () => {
    const folder = '/opt/ai-fabric-agent/versions/0.1.0-53681ca566c9';
    await writeFile(at('/program'), 'program');
    const before = process.umask(0o077);
    try {
      await carryOut({ kind: 'make_folder', path: dirname(folder), mode: 0o755, owner: null });
      await carryOut({ kind: 'place_program', from: at('/program'), beside: [], folder });
      expect(process.umask()).toBe(0o077);
    } finally {
      process.umask(before);
    }
    const made = [dirname(dirname(folder)), dirname(folder), folder, `${folder}/ai-fabric-agent`];
    expect(await Promise.all(made.map(modeOf))).toEqual(['755', '755', '755', '755']);
  });

  it('makes the account once', async () => {
    const step = { kind: 'make_account', account: 'ai-fabric-agent', home: '/var/lib/ai-fabric-agent' };
    expect(await carryOut(step)).toBe('it is there already');
    missing = ['id'];
    expect(await carryOut(step)).toBeNull();
    expect(ran.at(-1)).toMatch(/^useradd --system .*--shell \/usr\/sbin\/nologin .* ai-fabric-agent$/);
  });

  it('writes a file whole, with its rights', async () => {
    await mkdir(at('/etc'));
    await carryOut({ kind: 'write_file', path: '/etc/a.yaml', text: 'one', mode: 0o640, group: null });
    await carryOut({ kind: 'write_file', path: '/etc/a.yaml', text: 'two', mode: 0o640, group: null });
    expect(await readFile(at('/etc/a.yaml'), 'utf8')).toBe('two');
    expect(await modeOf('/etc/a.yaml')).toBe('640');
  });

  it('places the program with what goes along, also over one that died in it', async () => {
    await writeFile(at('/program'), 'a program');
    await writeFile(at('/manifest.json'), '{}');
    await mkdir(at('/opt/v1'), { recursive: true });
    await writeFile(at('/opt/v1/ai-fabric-agent.new'), 'half');
    const step = {
      kind: 'place_program',
      from: at('/program'),
      beside: [at('/manifest.json')],
      folder: '/opt/v1',
    };
    await carryOut(step);
    await carryOut(step);
    expect(await readFile(at('/opt/v1/ai-fabric-agent'), 'utf8')).toBe('a program');
    expect(await readFile(at('/opt/v1/manifest.json'), 'utf8')).toBe('{}');
    expect(await modeOf('/opt/v1/ai-fabric-agent')).toBe('755');
    await expect(stat(at('/opt/v1/ai-fabric-agent.new'))).rejects.toThrow();
  });

  it('places a program over itself without harm: a repair by what is installed', async () => {
    await mkdir(at('/opt/v1'), { recursive: true });
    await writeFile(at('/opt/v1/ai-fabric-agent'), 'a program');
    await carryOut({
      kind: 'place_program',
      from: at('/opt/v1/ai-fabric-agent'),
      beside: [],
      folder: '/opt/v1',
    });
    expect(await readFile(at('/opt/v1/ai-fabric-agent'), 'utf8')).toBe('a program');
  });

  it('moves a link from one version to the next', async () => {
    await carryOut({ kind: 'link', path: '/opt/current', target: '/opt/v1', optional: false });
    await carryOut({ kind: 'link', path: '/opt/current', target: '/opt/v2', optional: false });
    expect(await readlink(at('/opt/current'))).toBe('/opt/v2');
  });

  it('goes without a link that cannot be made only where it may', async () => {
    await writeFile(at('/usr'), 'no folder');
    const step = { kind: 'link', path: '/usr/local/bin/a', target: '/opt/a' };
    expect(await carryOut({ ...step, optional: true })).toMatch(/^left out: .*The program is \/opt\/a\.$/);
    await expect(carryOut({ ...step, optional: false })).rejects.toThrow();
  });

  it('gives up groups that the agent is in, and no others', async () => {
    await carryOut({ kind: 'leave_group', account: 'ai-fabric-agent', group: 'docker' });
    expect(ran.some((call) => call.startsWith('gpasswd'))).toBe(false);
  });

  it('opens a socket anew though its service runs', async () => {
    await carryOut({ kind: 'restart_socket', unit: 'podman.socket' });
    expect(ran).toEqual([
      'systemctl enable podman.socket',
      'systemctl stop podman.service',
      'systemctl restart podman.socket',
    ]);
  });
});

describe('the key', () => {
  const KEY = '/etc/ai-fabric-agent/host-key.pem';
  const EARLIER = '/var/lib/ai-fabric-agent/host-key.pem';

  beforeEach(async () => {
    await mkdir(at('/etc/ai-fabric-agent'), { recursive: true });
    await mkdir(at('/var/lib/ai-fabric-agent'), { recursive: true });
  });

  it('is made once, for root alone', async () => {
    await carryOut({ kind: 'store_key', anew: false });
    const first = await readFile(at(KEY), 'utf8');
    await carryOut({ kind: 'store_key', anew: false });
    expect(await readFile(at(KEY), 'utf8')).toBe(first);
    expect(await modeOf(KEY)).toBe('600');
  });

  it('of an earlier join is taken over', async () => {
    await carryOut({ kind: 'store_key', anew: false });
    const pem = await readFile(at(KEY), 'utf8');
    await rm(at(KEY));
    await writeFile(at(EARLIER), pem, { mode: 0o600 });
    expect(await carryOut({ kind: 'store_key', anew: false })).toMatch(/taken over/);
    expect(await readFile(at(KEY), 'utf8')).toBe(pem);
    await expect(stat(at(EARLIER))).rejects.toThrow();
  });

  describe('where a new identity is asked for', () => {
    const NEW = '/etc/ai-fabric-agent/new-identity';
    const JOINED = '/var/lib/ai-fabric-agent/agent.json';
    const wish = { newIdentity: true };
    const step = { kind: 'join', server: 'https://motoko:8443', rejoin: true };
    let first: string;

    beforeEach(async () => {
      await carryOut({ kind: 'store_key', anew: false });
      first = await readFile(at(KEY), 'utf8');
      await writeFile(at(JOINED), '{}', { mode: 0o600 });
      await writeFile(at(EARLIER), first, { mode: 0o600 });
      await carryOut({ kind: 'store_key', anew: true }, undefined, wish);
    });

    it('is another one from the join on, which shows that one', async () => {
      let shown = '';
      const said = await carryOut(
        step,
        async () => {
          shown = await readFile(at(`${NEW}/host-key.pem`), 'utf8');
          expect(await readFile(at(KEY), 'utf8')).toBe(first);
          return 'as copy';
        },
        wish,
      );
      expect(said).toBe('as copy');
      expect(shown).not.toBe(first);
      expect(await readFile(at(KEY), 'utf8')).toBe(shown);
      expect(await modeOf(KEY)).toBe('600');
      for (const gone of [NEW, EARLIER]) await expect(stat(at(gone))).rejects.toThrow();
    });

    it('stays the former one where the join fails, with what it had joined', async () => {
      const failing = carryOut(step, () => Promise.reject(new Error('The token was used.')), wish);
      await expect(failing).rejects.toThrow('The token was used.');
      expect(await readFile(at(KEY), 'utf8')).toBe(first);
      expect(await readFile(at(JOINED), 'utf8')).toBe('{}');
      await expect(stat(at(NEW))).rejects.toThrow();
    });

    it('is made anew over one that an install left in which it died', async () => {
      const left = await readFile(at(`${NEW}/host-key.pem`), 'utf8');
      await carryOut({ kind: 'store_key', anew: true }, undefined, wish);
      expect(await readFile(at(`${NEW}/host-key.pem`), 'utf8')).not.toBe(left);
    });
  });
});

describe('a Podman of the agent’s own user', () => {
  const step = { kind: 'open_rootless_podman', account: 'ai-fabric-agent' };

  it('gets ids that nobody else has, runs without a session, and is what the agent uses', async () => {
    await mkdir(at('/etc/systemd/system/ai-fabric-agent.service.d'), { recursive: true });
    await writeFile(at('/etc/subuid'), 'anna:2000000:65536\n');
    await carryOut(step);
    expect(ran.slice(0, 4)).toEqual([
      'usermod --add-subuids 2065536-2131071 ai-fabric-agent',
      'usermod --add-subgids 2000000-2065535 ai-fabric-agent',
      'loginctl enable-linger ai-fabric-agent',
      'systemctl --user --machine=ai-fabric-agent@.host enable --now podman.socket',
    ]);
    const dropIn = '/etc/systemd/system/ai-fabric-agent.service.d/50-container-engine.conf';
    expect(await readFile(at(dropIn), 'utf8')).toMatch(/unix:\/\/\/run\/user\/\d+\/podman\/podman\.sock/);
  });

  it('keeps the ids that it has', async () => {
    await mkdir(at('/etc/systemd/system/ai-fabric-agent.service.d'), { recursive: true });
    for (const file of ['/etc/subuid', '/etc/subgid']) {
      await writeFile(at(file), 'ai-fabric-agent:3000000:65536\n');
    }
    await carryOut(step);
    expect(ran.join('\n')).not.toContain('usermod');
  });

  it('has ended when it is taken away: who deletes its user is refused while a process of it runs', async () => {
    await removeMade({ kind: 'lingering', what: 'ai-fabric-agent', kept: false }, root, runTool);
    const uid = process.getuid?.() || 1;
    expect(ran).toEqual([
      'loginctl disable-linger ai-fabric-agent',
      'id -u ai-fabric-agent',
      'loginctl terminate-user ai-fabric-agent',
      `systemctl stop user@${uid}.service user-runtime-dir@${uid}.service`,
    ]);
  });

  it('ends where the agent is to use another engine', async () => {
    await carryOut({ kind: 'end_rootless_podman', account: 'ai-fabric-agent' });
    expect(ran[0]).toBe('loginctl disable-linger ai-fabric-agent');
    expect(ran.at(-1)).toMatch(/^systemctl stop user@\d+\.service /);
  });

  it('may be gone already, with its user', async () => {
    missing = ['loginctl', 'id'];
    await removeMade({ kind: 'lingering', what: 'ai-fabric-agent', kept: false }, root, runTool);
    expect(ran).not.toContainEqual(expect.stringMatching(/^systemctl/));
  });
});

describe('containers of the agent in engines of root', () => {
  const ask = (tool: string, label: string): string =>
    `${tool} ps --quiet --filter label=io.ai-fabric.${label}`;
  const asks = (tool: string): readonly string[] => [ask(tool, 'deployment'), ask(tool, 'helper')];
  const end = async (answers: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const tool = (file: string, args: readonly string[]): Promise<string> => {
      const call = [file, ...args].join(' ');
      ran.push(call);
      const answer = answers[call];
      return answer === undefined ? Promise.reject(new Error('ENOENT')) : Promise.resolve(answer);
    };
    const options = { root, runTool: tool, join: () => Promise.resolve('') };
    await carryOutStep(options, { kind: 'end_containers', tells: '', makes: [] }, request);
    return ran;
  };

  it('are stopped, and no others', async () => {
    const stop = 'podman stop -t 20 1a 2b 3c';
    const answers = {
      [ask('podman', 'deployment')]: '1a\n2b\n',
      [ask('podman', 'helper')]: '3c\n',
      [stop]: '',
    };
    expect(await end({ ...answers, [ask('docker', 'deployment')]: '' })).toEqual([
      ...asks('podman'),
      stop,
      ...asks('docker'),
    ]);
  });

  it('are none where there is no engine', async () => {
    expect(await end({})).toEqual([...asks('podman'), ...asks('docker')]);
  });

  it('that cannot be stopped are no secret', async () => {
    await expect(end({ [ask('podman', 'deployment')]: '1a\n' })).rejects.toThrow();
  });
});

describe('what is taken away', () => {
  const remove = (kind: string, what: string): Promise<readonly string[]> =>
    removeMade({ kind: kind as 'file', what, kept: false }, root, runTool);

  it('may be gone already', async () => {
    missing = ['systemctl disable', 'userdel', 'gpasswd'];
    await remove('file', '/etc/a');
    await remove('folder', '/etc/b');
    await remove('link', '/usr/local/bin/a');
    await remove('tree', '/opt/ai-fabric-agent');
    await remove('service', 'ai-fabric-agent.service');
    await remove('account', 'ai-fabric-agent');
    await remove('membership', 'ai-fabric-agent:docker');
  });

  it('is no file that somebody else put beside the settings', async () => {
    await mkdir(at('/etc/ai-fabric-agent/new-identity'), { recursive: true });
    for (const name of ['agent.yaml', 'host-key.pem', 'installed.json', 'host-key.pem.new', 'notes.txt']) {
      await writeFile(at(`/etc/ai-fabric-agent/${name}`), '');
    }
    expect(await remove('tree', '/etc/ai-fabric-agent')).toEqual(['/etc/ai-fabric-agent/notes.txt']);
    expect(await readdir(at('/etc/ai-fabric-agent'))).toEqual(['notes.txt']);
    await rm(at('/etc/ai-fabric-agent/notes.txt'));
    expect(await remove('tree', '/etc/ai-fabric-agent')).toEqual([]);
    await expect(stat(at('/etc/ai-fabric-agent'))).rejects.toThrow(/ENOENT/);
  });

  it('is never a folder that is not the agent’s, whatever the record says', async () => {
    await mkdir(at('/home/anna'), { recursive: true });
    await mkdir(at('/opt'), { recursive: true });
    await symlink('/srv/x', at('/opt/ai-fabric-agent'));
    await expect(remove('tree', '/opt/ai-fabric-agent')).rejects.toThrow(/a link to \/srv\/x/);
    expect(await readlink(at('/opt/ai-fabric-agent'))).toBe('/srv/x');
    await expect(remove('tree', '/home/anna')).rejects.toThrow(/no folder of an agent/);
    await expect(remove('tree', '/')).rejects.toThrow();
    expect((await stat(at('/home/anna'))).isDirectory()).toBe(true);
  });

  it('is no folder that somebody put something into', async () => {
    await mkdir(at('/etc/systemd/system/podman.socket.d'), { recursive: true });
    await writeFile(at('/etc/systemd/system/podman.socket.d/mine.conf'), '');
    await remove('folder', '/etc/systemd/system/podman.socket.d');
    expect((await stat(at('/etc/systemd/system/podman.socket.d/mine.conf'))).isFile()).toBe(true);
  });

  it('is no link that leads elsewhere', async () => {
    await mkdir(at('/usr/local/bin'), { recursive: true });
    await carryOut({ kind: 'link', path: '/usr/local/bin/a', target: '/home/anna/a', optional: false });
    await remove('link', '/usr/local/bin/a');
    expect(await readlink(at('/usr/local/bin/a'))).toBe('/home/anna/a');
  });

  it('is told to systemd where it was a unit', async () => {
    await remove('file', '/etc/systemd/system/ai-fabric-agent.service');
    expect(ran).toEqual(['systemctl daemon-reload']);
  });

  it('gives Podman’s socket back to root', async () => {
    await remove('file', '/etc/systemd/system/podman.socket.d/50-ai-fabric-agent.conf');
    expect(ran).toContain('systemctl try-restart podman.socket');
    expect(ran).toContain('chgrp root /run/podman');
  });

  it('fails aloud where it fails for another reason', async () => {
    const failing = (): Promise<string> => Promise.reject(new Error('Access denied'));
    const made = { kind: 'service', what: 'ai-fabric-agent.service', kept: false } as const;
    await expect(removeMade(made, root, failing)).rejects.toThrow(/Access denied/);
  });
});
