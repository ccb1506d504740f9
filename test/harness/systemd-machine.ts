import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../simulators/common/eventually.js';
import { providePristineRoot, unmountBelow } from './systemd-root.js';

export interface SystemdMachineOptions {
  readonly hostName?: string;
  /** Debian's, beside those that each machine has. */
  readonly packages?: readonly string[];
  /** Of the processors, the one that it has: it and what is run in it. By default all. */
  readonly core?: number;
  /** Folders, files or sockets of this machine that it sees; `readOnly` by default. */
  readonly binds?: readonly { readonly from: string; readonly to: string; readonly writable?: boolean }[];
}

export interface RunOptions {
  /** For its standard input; none by default. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** As whom it runs in the machine; by default as root. */
  readonly user?: string;
  /** It is killed after so long; by default after two minutes. */
  readonly timeoutMs?: number;
}

export interface RunResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const BOOT_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 60_000;
const RUN_TIMEOUT_MS = 120_000;
/** What nspawn ends with when its machine restarts and it may not do so itself (`--keep-unit`). */
const RESTARTS = 133;

/**
 * A machine that boots systemd, in a container of systemd-nspawn. It has the network of the machine that tests run on: a
 * control plane on loopback is in its reach. Files, processes, users and the journal are its own.
 *
 *     const machine = await SystemdMachine.create({ hostName: 'armitage' });
 *     await machine.boot();
 *     await machine.must(['systemctl', 'start', 'ai-fabric-agent']);
 *     await machine.reboot();
 *     await machine.close();          // in afterAll, whatever happened
 */
export class SystemdMachine {
  readonly #folder: string;
  readonly #options: SystemdMachineOptions;
  readonly #cgroups: readonly string[];
  #nspawn: ChildProcess | null = null;
  #leader: number | null = null;

  private constructor(folder: string, options: SystemdMachineOptions) {
    this.#folder = folder;
    this.#options = options;
    const name = `ai-fabric-test-${randomBytes(5).toString('hex')}`;
    this.#cgroups = ownCgroups().map((parent) => join(parent, name));
  }

  /** With an identity of its own, switched off. The first of all waits a minute for its Debian. @throws Error */
  static async create(options: SystemdMachineOptions = {}): Promise<SystemdMachine> {
    const pristine = await providePristineRoot(options.packages);
    const machine = new SystemdMachine(mkdtempSync(join(tmpdir(), 'ai-fabric-machine-')), options);
    try {
      await runHere('cp', ['--archive', '--reflink=auto', pristine, machine.root]);
      // It was made in a folder that is its maker's alone, and nobody but root would get into this one.
      chmodSync(machine.root, 0o755);
      machine.giveIdentity();
      writeFileSync(join(machine.root, 'etc/hostname'), `${options.hostName ?? 'machine'}\n`);
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  /** Its files, from outside. */
  get root(): string {
    return join(this.#folder, 'root');
  }

  get isRunning(): boolean {
    return this.#nspawn !== null && this.#nspawn.exitCode === null && this.#nspawn.signalCode === null;
  }

  /** What it printed on its console, since it was made. */
  get console(): string {
    const file = join(this.#folder, 'console.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Another machine id, as a disk has that was copied to another machine; while it is off. */
  giveIdentity(): void {
    writeFileSync(join(this.root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  }

  /** Resolves when all that starts by itself has started. @throws Error with the console's last lines */
  async boot(): Promise<void> {
    this.#start();
    await this.#untilBooted();
  }

  /** Runs a command in it to its end, whatever that is. @throws Error when the machine is off */
  run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const { input, environment = {}, user, timeoutMs = RUN_TIMEOUT_MS } = options;
    const variables = { PATH, HOME: '/root', LANG: 'C.UTF-8', ...environment };
    const account = user === undefined ? [] : ['runuser', '-u', user, '--'];
    const args = [
      ...['--target', String(this.#runningLeader()), '--mount', '--uts', '--ipc', '--pid', '--root', '--wd'],
      ...['env', '--ignore-environment', ...Object.entries(variables).map((each) => each.join('='))],
      ...[...account, ...command],
    ];
    return capture(...this.#onItsCore('nsenter', args), input, timeoutMs);
  }

  /** Runs a command that has to succeed. @returns what it printed @throws Error with what it complained of */
  async must(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(command, options);
    if (exitCode === 0) return stdout;
    throw new Error(
      `${command.join(' ')} ended with ${exitCode}: ${stderr.slice(-2_000)}${stdout.slice(-2_000)}`,
    );
  }

  /** The number that a process of it has outside. @throws Error where there is none */
  hostPidOf(pid: number): number {
    const namespace = pidNamespace(this.#runningLeader());
    const ends = new RegExp(`^NSpid:.*\\t${pid}$`, 'm');
    const found = readdirSync('/proc').find(
      (entry) =>
        /^\d+$/.test(entry) &&
        ends.test(readOrEmpty(`/proc/${entry}/status`)) &&
        pidNamespace(Number(entry)) === namespace,
    );
    if (found === undefined) throw new Error(`the machine has no process ${pid}`);
    return Number(found);
  }

  /** A text of its files: a path as the machine has it. */
  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** The messages of a unit in the journal, of all boots. */
  journal(unit: string): Promise<string> {
    return this.must(['journalctl', '--no-pager', '--output=cat', '--unit', unit]);
  }

  /** As its user restarts it: services are stopped in their order, and it boots again. */
  async reboot(): Promise<void> {
    await this.#down('reboot', RESTARTS);
    await this.boot();
  }

  /** As its user switches it off: services are stopped in their order. */
  async powerOff(): Promise<void> {
    await this.#down('poweroff', 0);
  }

  /** A power cut: nothing is said, and nothing written any more. */
  async cutPower(): Promise<void> {
    const nspawn = this.#nspawn;
    const leader = this.#leader ?? findLeader(nspawn?.pid);
    this.#nspawn = null;
    this.#leader = null;
    if (nspawn !== null && nspawn.exitCode === null && nspawn.signalCode === null) {
      const ended = once(nspawn, 'exit');
      // All others end with the first one, and nspawn after them; one that did not come so far has none.
      const isOff = leader !== null && kill(leader);
      if (!isOff) nspawn.kill('SIGKILL');
      const timer = setTimeout(() => nspawn.kill('SIGKILL'), STOP_DEADLINE_MS);
      await ended;
      clearTimeout(timer);
    }
    if (leader !== null) await eventually('the machine is off', () => !existsSync(`/proc/${leader}`), 30_000);
    this.#removeCgroups();
  }

  /** Nothing of it stays. */
  async close(): Promise<void> {
    await this.cutPower();
    unmountBelow(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #start(): void {
    if (this.isRunning) throw new Error('the machine runs already');
    this.#removeCgroups();
    for (const cgroup of this.#cgroups) mkdirSync(cgroup, { recursive: true });
    const binds = (this.#options.binds ?? []).map(
      ({ from, to, writable = false }) => `--bind${writable ? '' : '-ro'}=${from}:${to}`,
    );
    const log = openSync(join(this.#folder, 'console.log'), 'a');
    // In groups of its own: two machines in one would each end the other's services.
    const enter = this.#cgroups.map((cgroup) => `echo $$ > '${join(cgroup, 'cgroup.procs')}'; `).join('');
    const args = [
      ...['--quiet', '--boot', '--register=no', '--keep-unit', `--directory=${this.root}`],
      ...[`--machine=${this.#options.hostName ?? 'machine'}`, '--link-journal=no'],
      // Else it would change files of the machine at each start.
      ...['--resolv-conf=off', '--timezone=off'],
      ...binds,
    ];
    const [program, programArgs] = this.#onItsCore('systemd-nspawn', args);
    this.#nspawn = spawn('sh', ['-c', `${enter}exec "$@"`, 'sh', program, ...programArgs], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
  }

  #onItsCore(program: string, args: readonly string[]): readonly [string, readonly string[]] {
    const { core } = this.#options;
    return core === undefined ? [program, args] : ['taskset', ['-c', String(core), program, ...args]];
  }

  async #untilBooted(): Promise<void> {
    try {
      await eventually('the machine boots', () => this.#hasBooted(), BOOT_DEADLINE_MS);
    } catch (error) {
      throw new Error(`the machine did not boot: ${this.console.slice(-3_000)}`, { cause: error });
    }
  }

  async #hasBooted(): Promise<boolean> {
    if (!this.isRunning) return false;
    this.#leader ??= findLeader(this.#nspawn?.pid);
    if (this.#leader === null) return false;
    const { stdout } = await this.run(['systemctl', 'is-system-running'], { timeoutMs: 10_000 });
    return ['running', 'degraded'].includes(stdout.trim());
  }

  async #down(verb: 'reboot' | 'poweroff', exitCode: number): Promise<void> {
    const nspawn = this.#nspawn;
    if (nspawn === null || !this.isRunning) throw new Error('the machine is off');
    const ended = once(nspawn, 'exit');
    await this.run(['systemctl', verb]);
    const timer = setTimeout(() => nspawn.kill('SIGKILL'), STOP_DEADLINE_MS);
    const [code, signal] = await ended;
    clearTimeout(timer);
    this.#nspawn = null;
    this.#leader = null;
    this.#removeCgroups();
    if (code === exitCode) return;
    throw new Error(`${verb} ended with ${code ?? signal}: ${this.console.slice(-3_000)}`);
  }

  #runningLeader(): number {
    if (this.#leader === null) throw new Error('the machine is off');
    return this.#leader;
  }

  #removeCgroups(): void {
    for (const cgroup of this.#cgroups) removeCgroup(cgroup);
  }
}

/** @returns whether it was there */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** The first process of the machine: a child of nspawn, number 1 in its own namespace. */
function findLeader(nspawn: number | undefined): number | null {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const status = readOrEmpty(`/proc/${entry}/status`);
    if (status.includes(`\nPPid:\t${nspawn}\n`) && /^NSpid:\t\d+\t1$/m.test(status)) return Number(entry);
  }
  return null;
}

/** Empty where it has ended. */
function pidNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

/** The groups of this process in which systemd sorts its services, as folders; of one hierarchy or two. */
function ownCgroups(): string[] {
  return readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, hierarchy, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (path === undefined) return [];
      if (hierarchy === 'name=systemd') return [join('/sys/fs/cgroup/systemd', path)];
      if (hierarchy !== '') return [];
      const unified = existsSync('/sys/fs/cgroup/unified') ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup';
      return existsSync(join(unified, 'cgroup.procs')) ? [join(unified, path)] : [];
    });
}

function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const each of readdirSync(folder, { withFileTypes: true })) {
    if (each.isDirectory()) removeCgroup(join(folder, each.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // A process that is ending holds it; it is empty and does no harm.
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It ended meanwhile.
  }
}

async function runHere(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await capture(program, args, undefined, RUN_TIMEOUT_MS);
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr.slice(-2_000)}`);
}

function capture(
  program: string,
  args: readonly string[],
  input: string | undefined,
  timeoutMs: number,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    // A group of its own: within the machine, "kill 0" would mean those who run the tests.
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => undefined).end(input ?? '');
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, stdout, stderr });
    });
  });
}
