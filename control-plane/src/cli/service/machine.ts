import { lookup } from 'node:dns/promises';
import { lchownSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { Interruption } from '@ai-fabric/shared';
import { ApiExchange } from '../api-exchange.js';
import type { Account, PortHolder } from './decide/service-facts.js';
import { findHolders } from './find-holders.js';
import { type RunOptions, type RunResult, runProgram } from './run-program.js';

/** The machine that a service is installed on: what a test replaces. Files are the real ones, below `root`. */
export interface Machine {
  /** `/`, or the root directory of an image that is only prepared. */
  readonly root: string;
  readonly isRoot: boolean;
  /** Where a path of the installed system is now. */
  readonly at: (path: string) => string;
  /** Never rejects. */
  run(file: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  give(path: string, account: Account): void;
  /** With all that is in it. */
  giveAll(folder: string, account: Account): void;
  /** Asks a control plane with a pinned certificate; `null`: nobody answers, or somebody else. */
  ask(url: string, certificateSha256: string, path: string): Promise<Answer | null>;
  /** Who listens on its ports, processes that are named left out. */
  holders(ignored: ReadonlySet<number>): readonly PortHolder[];
  /** Whether it knows an address of a name. */
  resolves(name: string): Promise<boolean>;
  /** Of its interfaces, loopback included. */
  addresses(): readonly string[];
  nowMs(): number;
  pause(ms: number): Promise<void>;
  say(line: string): void;
  /** Whether somebody wants it to stop; once, so that what puts things right then is done to its end. */
  takeInterruption(): boolean;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

const ANSWER_WITHIN_MS = 5_000;

/** This machine, from now on deaf to the first Ctrl-C. @param root of an image, or `/` */
export function thisMachine(root: string, say: (line: string) => void): Machine {
  const interruption = new Interruption(process, () =>
    console.error('Interrupted: what is under way is brought to a safe end. Once more ends it at once.'),
  );
  return {
    root,
    isRoot: process.getuid?.() === 0,
    at: (path) => (root === '/' ? path : join(root, path)),
    run: runProgram,
    give: (path, { uid, gid }) => lchownSync(path, uid, gid),
    giveAll: (folder, { uid, gid }) => {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        lchownSync(join(folder, name), uid, gid);
      }
      lchownSync(folder, uid, gid);
    },
    ask: askPinned,
    holders: findHolders,
    resolves: (name) =>
      lookup(name).then(
        () => true,
        () => false,
      ),
    addresses: () =>
      Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)),
    nowMs: () => Date.now(),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    say,
    takeInterruption: () => interruption.take(),
  };
}

async function askPinned(url: string, certificateSha256: string, path: string): Promise<Answer | null> {
  let exchange: ApiExchange | null = null;
  try {
    exchange = await ApiExchange.open(url, certificateSha256);
    const request = { method: 'GET', path, headers: {}, body: null } as const;
    const answer = await exchange.ask(request, { headersMs: ANSWER_WITHIN_MS, bodyMs: ANSWER_WITHIN_MS });
    return { status: answer.statusCode ?? 0, text: await textOf(answer) };
  } catch {
    return null;
  } finally {
    exchange?.close();
  }
}
