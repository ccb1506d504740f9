import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PortHolder } from '../decide/service-facts.js';
import type { Machine } from '../machine.js';
import type { RunResult } from '../run-program.js';
import { PLACES, SERVICE, UNIT_MARK } from '../service-places.js';

const DONE: RunResult = { code: 0, stdout: '', stderr: '' };
const ACCOUNT = 'ai-fabric:x:998:998::/var/lib/ai-fabric:/usr/sbin/nologin';

/** A machine whose files are real, in a directory of their own, and whose systemd is played. */
export class PretendMachine implements Machine {
  readonly root = '/';
  isRoot = true;
  readonly folder = mkdtempSync(join(tmpdir(), 'pretend-machine-'));
  /** Every program that was run, as one would type it. */
  readonly ran: string[] = [];
  readonly said: string[] = [];
  /** Folders of versions that do not come up. */
  readonly broken = new Set<string>();
  /** What becomes of the data where a version starts. */
  onStart: (folder: string) => void = () => {};
  ports: PortHolder[] = [];
  active = false;
  enabled = false;
  /** A process of the service's user runs. */
  userIsBusy = false;
  /** Somebody presses Ctrl-C once this is said, or run. */
  interruptedBy: string | null = null;
  #now = 0;
  #processId = 100;

  constructor() {
    for (const directory of [
      '/etc/systemd/system',
      '/run/systemd/system',
      '/usr/local/bin',
      '/opt',
      '/var/lib',
    ]) {
      mkdirSync(this.at(directory), { recursive: true });
    }
    writeFileSync(this.at('/etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
  }

  /** An unpacked archive of a version; what it does is played. */
  archive(version: string): string {
    const folder = join(this.folder, `archive-${version}`);
    const files = {
      'bin/ai-fabric': `#!/bin/sh\n# ${version}\n`,
      [`systemd/${SERVICE}`]: `[Unit]\n${UNIT_MARK}\nDescription=${version}\n`,
    };
    const sums = Object.entries(files).map(([path, text]) => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
      return `${createHash('sha256').update(text).digest('hex')}  ${path}\n`;
    });
    chmodSync(join(folder, 'bin/ai-fabric'), 0o755);
    writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
    return folder;
  }

  /** The version that `current` is. */
  get current(): string {
    return readlinkSync(this.at(PLACES.current)).replace('versions/', '');
  }

  readonly at = (path: string): string => join(this.folder, 'root', path);

  async run(file: string, args: readonly string[]): Promise<RunResult> {
    this.ran.push([file, ...args].join(' ').replaceAll(join(this.folder, 'root'), ''));
    if (file === 'systemctl') return this.#systemctl(args);
    if (file === 'useradd') writeFileSync(this.at('/etc/passwd'), `${ACCOUNT}\n`);
    if (file === 'userdel' && this.userIsBusy) {
      return { ...DONE, code: 8, stderr: 'userdel: user ai-fabric is currently used by process 71' };
    }
    if (file === 'userdel') writeFileSync(this.at('/etc/passwd'), '');
    if (file === 'mkdir') mkdirSync(args.at(-1) ?? '');
    if (file.endsWith('/bin/ai-fabric') && args[0] === 'backup') writeFileSync(args[1] ?? '', 'backup');
    if (file.endsWith('/bin/ai-fabric') && args[0] === 'restore' && !existsSync(args[1] ?? '')) {
      return { ...DONE, code: 3, stderr: 'error: there is no such file' };
    }
    return DONE;
  }

  give(): void {}

  giveAll(): void {}

  holders(): readonly PortHolder[] {
    return this.ports;
  }

  async ask(): ReturnType<Machine['ask']> {
    return this.broken.has(this.current) ? null : { status: 200, text: '{}' };
  }

  async resolves(name: string): Promise<boolean> {
    return name !== 'bogus';
  }

  addresses(): readonly string[] {
    return ['127.0.0.1'];
  }

  nowMs(): number {
    return this.#now;
  }

  async pause(ms: number): Promise<void> {
    this.#now += ms;
  }

  say(line: string): void {
    this.said.push(line);
  }

  takeInterruption(): boolean {
    const { interruptedBy } = this;
    if (interruptedBy === null) return false;
    const isThere = [...this.said, ...this.ran].some((line) => line.includes(interruptedBy));
    if (isThere) this.interruptedBy = null;
    return isThere;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #systemctl(args: readonly string[]): RunResult {
    const [verb] = args;
    if (verb === 'show') return { ...DONE, stdout: this.#show() };
    if (verb === 'enable') this.enabled = true;
    if (verb === 'disable') this.enabled = false;
    if (verb === 'stop') this.active = false;
    if (verb === 'start' && !this.active) this.#start();
    return DONE;
  }

  #start(): void {
    this.active = true;
    this.#processId += 1;
    this.onStart(this.current);
    const endpoint = {
      url: 'https://127.0.0.1:8443',
      certificateSha256: 'ab',
      adminTokenFile: 'x',
      pid: this.#processId,
    };
    writeFileSync(this.at(`${PLACES.data}/endpoint.json`), JSON.stringify(endpoint));
  }

  #show(): string {
    const there = existsSync(this.at(PLACES.unit));
    return [
      `LoadState=${there ? 'loaded' : 'not-found'}`,
      `FragmentPath=${there ? PLACES.unit : ''}`,
      `ActiveState=${this.active ? 'active' : 'inactive'}`,
      `MainPID=${this.active ? this.#processId : 0}`,
      'NRestarts=0',
    ].join('\n');
  }
}
