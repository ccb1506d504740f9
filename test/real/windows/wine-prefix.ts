import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { windowsNodePath } from './windows-node.js';

const BOOT_TIMEOUT_MS = 120_000;
const END_TIMEOUT_MS = 10_000;
/** Of `personality(2)`. */
const ADDR_NO_RANDOMIZE = 0x0040000;

/**
 * Wine maps what all programs of Windows share at 0x7ffe0000. Where Linux chooses addresses at random, the heap of one
 * program in some 1500 lies there: it ends before it began, and whoever started it is told an error without a name (`spawn
 * UNKNOWN`). Where it does not, heaps lie 47 MiB below. Some containers refuse to change it: there it stays as it is.
 */
const FIXED_ADDRESSES = ['--addr-no-randomize'] as const;
const hasFixedAddresses =
  spawnSync('setarch', [...FIXED_ADDRESSES, 'true'], { stdio: 'ignore' }).status === 0;

function wineCommand(program: string, args: readonly string[]): readonly [string, readonly string[]] {
  return hasFixedAddresses
    ? ['setarch', [...FIXED_ADDRESSES, 'wine', program, ...args]]
    : ['wine', [program, ...args]];
}

/** A Windows of its own, with its own registry, disk and processes. */
export class WinePrefix {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ai-fabric-wine-'));
  readonly #children: ChildProcess[] = [];
  readonly #halted: string[] = [];
  #programs = 0;

  /** Boots it for the first time, which takes some ten seconds. @throws Error when Wine fails */
  constructor() {
    mkdirSync(join(this.#folder, 'prefix'));
    const [file, args] = wineCommand('winecfg', ['-v', 'win10']);
    // Its server says its last words where the first program does.
    const log = openSync(join(this.#folder, 'server.log'), 'w');
    execFileSync(file, args, {
      ...{ env: this.#environment(), stdio: ['ignore', 'ignore', log], timeout: BOOT_TIMEOUT_MS },
    });
    closeSync(log);
  }

  /** Where its disk `C:` is on this machine. */
  get drive(): string {
    return join(this.#folder, 'prefix', 'drive_c');
  }

  /** Runs Node for Windows with a script. Paths among `args` are as Windows has them. */
  node(script: string, args: readonly string[], environment: Readonly<Record<string, string>>): WineProgram {
    return this.run(windowsNodePath, [script, ...args], environment);
  }

  /** @param program of Windows: its path on this machine, or a name that Windows finds (`net`) */
  run(
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): WineProgram {
    this.#programs += 1;
    const logFile = join(this.#folder, `program-${this.#programs}.log`);
    const log = openSync(logFile, 'w');
    // To a file: standard output through a pipe of this machine is EBADF to Node under Wine.
    const [file, fileArgs] = wineCommand(program, args);
    const child = spawn(file, fileArgs, {
      env: { ...this.#environment(), ...environment },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#children.push(child);
    return new WineProgram(child, logFile);
  }

  /** Halts programs of its own where they stand. @param part of their command line @returns how many */
  halt(part: string): number {
    const found = this.#running().filter((pid) =>
      readProcess(pid, 'cmdline').replaceAll('\0', ' ').includes(part),
    );
    for (const pid of found) process.kill(Number(pid), 'SIGSTOP');
    this.#halted.push(...found);
    return found.length;
  }

  /** Of its programs that run, those whose addresses were chosen at random though it need not be. */
  withRandomAddresses(): readonly string[] {
    if (!hasFixedAddresses) return [];
    const isRandom = (pid: string): boolean =>
      (Number.parseInt(readProcess(pid, 'personality'), 16) & ADDR_NO_RANDOMIZE) === 0;
    return this.#running()
      .filter(isRandom)
      .map((pid) => readProcess(pid, 'cmdline').replaceAll('\0', ' '));
  }

  #isOwn(pid: string): boolean {
    return readProcess(pid, 'environ')
      .split('\0')
      .includes(`WINEPREFIX=${join(this.#folder, 'prefix')}`);
  }

  /** Wine's server asks programs to end, which who stands still never does. */
  #endHalted(): void {
    for (const pid of this.#halted.splice(0)) {
      if (this.#isOwn(pid)) killProcess(pid);
    }
  }

  /** Ends all its programs at once, as a power cut does. What is started next boots it, and what starts with it. */
  async cutPower(): Promise<void> {
    spawnSync('wineserver', ['-k'], { env: this.#environment(), stdio: 'ignore', timeout: END_TIMEOUT_MS });
    await this.#ended();
  }

  /**
   * Ends its processes and removes it. Those of other prefixes are let be.
   *
   * @throws Error where its server crashed, which is what everything failed of that did
   */
  async close(): Promise<void> {
    // It fails where nothing of the prefix runs any more, which is what is wanted.
    spawnSync('wineserver', ['-k'], { env: this.#environment(), stdio: 'ignore', timeout: 30_000 });
    await this.#ended();
    const hasCrashed = readdirSync(this.#folder)
      .filter((name) => name.endsWith('.log'))
      .some((name) => readFileSync(join(this.#folder, name), 'utf8').includes('wineserver crashed'));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    if (hasCrashed) throw new Error("Wine's own server crashed");
  }

  async #ended(): Promise<void> {
    this.#endHalted();
    const running = this.#children.filter(isRunning);
    const ends = Promise.all(running.map((child) => once(child, 'exit')));
    // A server that is stuck ends nothing, and its programs wait for it without end.
    const timer = setTimeout(() => {
      for (const child of running) child.kill('SIGKILL');
    }, END_TIMEOUT_MS);
    await ends;
    clearTimeout(timer);
    // Those of a server that crashed wait for it without end.
    for (const pid of this.#running()) killProcess(pid);
  }

  #running(): readonly string[] {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && this.#isOwn(name));
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      WINEPREFIX: join(this.#folder, 'prefix'),
      // Its server leaves a folder there for good.
      TMPDIR: this.#folder,
      WINEDEBUG: '-all',
      // Neither is needed, and without them Wine asks nobody whether to download them.
      WINEDLLOVERRIDES: 'mscoree,mshtml=',
    };
  }
}

/** A program of Windows. */
export class WineProgram {
  readonly #child: ChildProcess;
  readonly #logFile: string;

  constructor(child: ChildProcess, logFile: string) {
    this.#child = child;
    this.#logFile = logFile;
  }

  get running(): boolean {
    return isRunning(this.#child);
  }

  get output(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** @returns its exit code; `null` when it was killed */
  async exited(): Promise<number | null> {
    if (this.running) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  /** As Ctrl-C in its console, which is also how a service manager begins to stop it. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }
}

function killProcess(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Empty where that process has ended meanwhile. */
function readProcess(pid: string, file: 'cmdline' | 'environ' | 'personality'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
