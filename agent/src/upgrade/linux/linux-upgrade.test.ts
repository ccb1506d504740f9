import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeConsent } from '../consent.js';
import type { UpgradeRecord } from '../upgrade-record.js';
import { linuxIntake } from './linux-intake.js';
import { linuxUpgrade, writeWhole } from './linux-upgrade.js';

const VERSIONS = '/opt/ai-fabric-agent/versions';
const STAGED = '/var/lib/ai-fabric-agent/upgrade';
const OLD = `${VERSIONS}/0.1.0-old`;

let root: string;
let ran: string[];
let answer: string;
const at = (path: string): string => join(root, path);
const system = () =>
  linuxUpgrade({
    root,
    runTool: (file, args) => {
      ran.push([file, ...args].join(' '));
      return Promise.resolve(answer);
    },
  });
const intake = () => linuxIntake({ root, readMode: () => Promise.resolve('auto') });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'linux-upgrade-'));
  ran = [];
  answer = '';
  for (const folder of [OLD, STAGED, '/etc/ai-fabric-agent', '/etc/systemd/system'])
    mkdirSync(at(folder), { recursive: true });
  symlinkSync(OLD, at('/opt/ai-fabric-agent/current'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const record: UpgradeRecord = {
  ...{ format: 1, stage: 'staged', manifestSha256: 'ab'.repeat(32), signed: true, reason: null, proofs: 0 },
  from: { version: '0.1.0', folder: OLD },
  to: { version: '0.2.0', folder: `${VERSIONS}/0.2.0-new` },
  changedAtMs: 1,
};

describe('an upgrade’s record', () => {
  it('is read as it was written, and there is none before', async () => {
    expect(await system().readRecord()).toBeNull();
    await system().writeRecord(record);
    expect(await system().readRecord()).toEqual(record);
    expect(statSync(at('/opt/ai-fabric-agent/upgrade.json')).mode & 0o777).toBe(0o644);
  });

  it.each(['', '{}', 'null', JSON.stringify({ ...record, stage: 'flying' })])(
    'is refused where it is %j',
    async (text) => {
      writeFileSync(at('/opt/ai-fabric-agent/upgrade.json'), text);
      await expect(system().readRecord()).rejects.toThrow('is damaged');
    },
  );
});

describe('the current version', () => {
  it('is another one from one moment to the next', async () => {
    expect(await system().current()).toBe(OLD);
    await system().makeCurrent(record.to.folder);
    expect(readlinkSync(at('/opt/ai-fabric-agent/current'))).toBe(record.to.folder);
    await system().makeCurrent(record.to.folder);
    expect(await system().current()).toBe(record.to.folder);
  });

  it('stays, whatever else is taken away', async () => {
    for (const name of ['0.0.8', '0.0.9', '0.2.0-new']) mkdirSync(at(`${VERSIONS}/${name}`));
    await system().keepOnly([record.to.folder]);
    expect(
      ['0.0.8', '0.0.9', '0.1.0-old', '0.2.0-new'].filter((name) => existsSync(at(`${VERSIONS}/${name}`))),
    ).toEqual([...['0.1.0-old', '0.2.0-new']]);
  });
});

describe('who finishes an upgrade', () => {
  it('is the version before, from the next boot on, and noted so that an uninstall removes it', async () => {
    const installed = {
      format: 1,
      version: '0.1.0',
      machineSha256: null,
      engineAccess: 'none',
      finished: true,
      made: [],
    };
    writeFileSync(at('/etc/ai-fabric-agent/installed.json'), JSON.stringify(installed));
    await system().arm(record);
    const unit = readFileSync(at('/etc/systemd/system/ai-fabric-agent-upgrade.service'), 'utf8');
    expect(unit).toContain(`ExecStart=${OLD}/ai-fabric-agent finish-upgrade\n`);
    const wanted = at('/etc/systemd/system/multi-user.target.wants/ai-fabric-agent-upgrade.service');
    expect(lstatSync(wanted).isSymbolicLink()).toBe(true);
    expect(ran).toEqual(['systemctl daemon-reload']);
    const noted = readFileSync(at('/etc/ai-fabric-agent/installed.json'), 'utf8');
    expect(JSON.parse(noted)).toMatchObject({ made: [{ kind: 'file' }, { kind: 'link' }] });

    await system().arm(record);
    await system().disarm();
    await system().disarm();
    expect(existsSync(wanted)).toBe(false);
    expect(existsSync(at('/etc/systemd/system/ai-fabric-agent-upgrade.service'))).toBe(false);
    await system().noteVersion('0.2.0');
    expect(JSON.parse(readFileSync(at('/etc/ai-fabric-agent/installed.json'), 'utf8'))).toMatchObject({
      version: '0.2.0',
    });
  });
});

describe('what runs', () => {
  it.each([
    ['MainPID=321\nNRestarts=2\n', { pid: 321, restarts: 2 }],
    ['MainPID=0\nNRestarts=4\n', { pid: null, restarts: 4 }],
    ['', { pid: null, restarts: 0 }],
  ])('is what systemd says: %j', async (said, facts) => {
    answer = said;
    expect(await system().service()).toEqual(facts);
  });

  it('says how it is, in a file that is one', async () => {
    expect(await system().health()).toBeNull();
    const file = at('/var/lib/ai-fabric-agent/health.json');
    const health = { version: '0.2.0', pid: 3, linkedSinceMs: null };
    writeFileSync(file, JSON.stringify(health));
    expect(await system().health()).toEqual(health);
    writeFileSync(file, 'x'.repeat(10_000));
    expect(await system().health()).toBeNull();
    rmSync(file);
    writeFileSync(at('/elsewhere'), JSON.stringify(health));
    symlinkSync(at('/elsewhere'), file);
    expect(await system().health()).toBeNull();
  });
});

describe('what the agent staged', () => {
  const program = Buffer.from('the newer one');
  const sha256 = createHash('sha256').update(program).digest('hex');
  const files = [{ name: 'ai-fabric-agent', bytes: program.length, sha256 }];
  const place = () =>
    intake().place({ name: '0.2.0-new', files, manifestBytes: Buffer.from('{}'), signature: 'sig' });
  const staged = (name: string): string => at(`${STAGED}/${name}`);

  it('is placed with its manifest and signature, as root’s own', async () => {
    writeFileSync(staged('ai-fabric-agent'), program);
    // Half of it, from an upgrade that was cut off.
    mkdirSync(at(`${VERSIONS}/0.2.0-new`));
    writeFileSync(at(`${VERSIONS}/0.2.0-new/ai-fabric-agent`), 'half');
    mkdirSync(at('/opt/ai-fabric-agent/incoming'));
    expect(await place()).toEqual({ folder: `${VERSIONS}/0.2.0-new` });
    const file = at(`${VERSIONS}/0.2.0-new/ai-fabric-agent`);
    expect(readFileSync(file)).toEqual(program);
    expect(statSync(file).mode & 0o777).toBe(0o755);
    expect(readFileSync(at(`${VERSIONS}/0.2.0-new/manifest.sig`), 'utf8')).toBe('sig');
    expect(existsSync(at('/opt/ai-fabric-agent/incoming'))).toBe(false);
  });

  it.each<[string, () => void, RegExp]>([
    ['missing', () => undefined, /is not staged/],
    ['tampered with', () => writeFileSync(staged('ai-fabric-agent'), 'the newer 0ne'), /has the SHA-256/],
    ['shorter', () => writeFileSync(staged('ai-fabric-agent'), 'the'), /has 3 bytes/],
    [
      'longer',
      () => writeFileSync(staged('ai-fabric-agent'), Buffer.concat([program, program])),
      /has \d+ bytes/,
    ],
    [
      'a link to somebody else’s file',
      () => {
        writeFileSync(at('/secret'), program);
        symlinkSync(at('/secret'), staged('ai-fabric-agent'));
      },
      /cannot be read \(ELOOP\)/,
    ],
    ['a folder', () => mkdirSync(staged('ai-fabric-agent')), /is no plain file/],
  ])('is not placed where the program is %s', async (_what, stage, why) => {
    stage();
    await expect(place()).rejects.toThrow(why);
    expect(existsSync(at(`${VERSIONS}/0.2.0-new`))).toBe(false);
    expect(existsSync(at('/opt/ai-fabric-agent/incoming'))).toBe(false);
  });

  it('is read no further than it may be', async () => {
    expect(await intake().staged()).toBeNull();
    writeFileSync(staged('manifest.json'), '{}');
    expect(await intake().staged()).toEqual({ manifestBytes: Buffer.from('{}'), signature: null });
    writeFileSync(staged('manifest.json'), Buffer.alloc(300_000));
    await expect(intake().staged()).rejects.toThrow('has more than');
  });

  it('is what the owner said yes to, or not', async () => {
    expect(await intake().approvedSha256()).toBeNull();
    await writeWhole(at('/opt/ai-fabric-agent/upgrade-consent.json'), writeConsent('ab'.repeat(32)));
    expect(await intake().approvedSha256()).toBe('ab'.repeat(32));
    writeFileSync(at('/opt/ai-fabric-agent/upgrade-consent.json'), 'yes');
    expect(await intake().approvedSha256()).toBeNull();
    expect(await intake().freeBytes()).toBeGreaterThan(0);
  });
});
