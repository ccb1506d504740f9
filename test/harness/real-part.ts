import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, it, type TestOptions } from 'vitest';
import { type HeldPart, HOLD_TIMEOUT_MS, holdPart } from './hold-part.js';

declare module 'vitest' {
  interface TaskMeta {
    /** Why the tests of a group are skipped; `npm test` lists it at its end. */
    skipReason?: string;
  }
}

/** Something real that a test needs and that this machine may lack. */
export interface RealPart {
  /** As a person calls it: `Wine`. */
  readonly name: string;
  /** Why it cannot be used here, with what would change that; null where it can. */
  readonly absence: () => string | null;
  /** Whether `.ci/run` can provide it. A GPU it cannot. */
  readonly required: boolean;
  /** A word for what a machine has once: groups of tests whose parts have the same word run one after the other. */
  readonly alone?: string;
}

export const wine: RealPart = {
  name: 'Wine',
  absence: () => {
    const absent = absentProgram('wine', ['--version'], 'apt-get install wine wine64');
    if (absent !== null || process.env['AI_FABRIC_QUICK_TESTS'] !== '1') return absent;
    // One after the other: a machine has one.
    return 'its tests take five minutes: npm test -- --thorough';
  },
  required: true,
  alone: 'wine',
};

export const chromium: RealPart = {
  name: 'Chromium',
  absence: () =>
    existsSync(chromiumPath) ? null : `${chromiumPath} is not there (apt-get install chromium)`,
  required: true,
};

/** Where Debian puts it. */
export const chromiumPath = '/usr/bin/chromium';

export const promtool: RealPart = {
  name: 'promtool',
  absence: () =>
    absentProgram('promtool', ['--version'], 'apt-get install --no-install-recommends prometheus'),
  required: true,
};

export const curl: RealPart = {
  name: 'curl',
  absence: () => absentProgram('curl', ['--version'], 'apt-get install curl'),
  required: true,
};

export const xz: RealPart = {
  name: 'xz',
  absence: () => absentProgram('xz', ['--version'], 'apt-get install xz-utils'),
  required: true,
};

export const mountNamespaces: RealPart = {
  name: 'mount namespaces',
  absence: () => {
    if (process.getuid?.() !== 0) return 'this user is not root';
    const tried = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    return tried.status === 0 ? null : `this machine refuses them (unshare --mount: ${tried.stderr.trim()})`;
  },
  required: true,
};

export const python: RealPart = {
  name: 'Python',
  absence: () => absentProgram('python3', ['--version'], 'apt-get install python3'),
  required: true,
};

export const networkNamespaces: RealPart = {
  name: 'network namespaces',
  absence: () => {
    if (process.getuid?.() !== 0) return 'this user is not root';
    const missing = absentProgram('ip', ['-V'], 'apt-get install iproute2');
    if (missing !== null) return missing;
    // Root in a container often may not make one: only trying tells.
    const tried = spawnSync('unshare', ['--net', 'true'], { encoding: 'utf8', timeout: 10_000 });
    return tried.status === 0 ? null : `this machine refuses them (unshare --net: ${tried.stderr.trim()})`;
  },
  required: true,
  alone: 'lan',
};

/** What takes long, and is done before a group of tests waits for a part that it has for itself. */
export interface Preparation {
  readonly timeoutMs: number;
  run(): Promise<void>;
}

/**
 * A group of tests that need real parts. Where one is absent they are skipped, each with the reason; with
 * `npm test -- --require-real` the absence of a part that `.ci/run` installs is one failed test instead, so
 * that nothing passes there for want of a part.
 */
export function describeReal(
  name: string,
  parts: readonly RealPart[],
  body: () => void,
  preparation?: Preparation,
): void {
  const absent = parts
    .map((part) => ({ part, reason: part.absence() }))
    .find((candidate) => candidate.reason !== null);
  if (absent === undefined) {
    describe(name, () => {
      if (preparation !== undefined) beforeAll(() => preparation.run(), preparation.timeoutMs);
      haveAlone(parts);
      body();
    });
    return;
  }
  const reason = `${absent.part.name} is absent: ${absent.reason}`;
  if (absent.part.required && process.env['AI_FABRIC_REQUIRE_REAL'] === '1') {
    describe(name, () => {
      it(`has its real part: ${absent.part.name}`, () => {
        throw new Error(reason);
      });
    });
    return;
  }
  describe(name, { skip: true, meta: { skipReason: reason } }, body);
}

/** Always in the order of the alphabet: two that wait for each other would wait for ever. */
function haveAlone(parts: readonly RealPart[]): void {
  const names = [...new Set(parts.flatMap(({ alone }) => (alone === undefined ? [] : [alone])))].sort();
  if (names.length === 0) return;
  const held: HeldPart[] = [];
  beforeAll(async () => {
    for (const name of names) held.push(await holdPart(name));
  }, HOLD_TIMEOUT_MS);
  afterAll(() => {
    for (const part of held) part.release();
  });
}

/**
 * A group of tests that take long and stand beside quicker ones of the same things. `npm test` by itself leaves them
 * out and says so; `npm test -- --thorough`, `.ci/run`, and who names a test's file runs them.
 */
export function describeThorough(name: string, options: TestOptions, body: () => void): void {
  if (process.env['AI_FABRIC_QUICK_TESTS'] !== '1') {
    describe(name, options, body);
    return;
  }
  const skipReason = 'it takes long: npm test -- --thorough';
  describe(name, { ...options, skip: true, meta: { skipReason } }, body);
}

function absentProgram(program: string, args: readonly string[], advice: string): string | null {
  const run = spawnSync(program, args, { stdio: 'ignore', timeout: 60_000 });
  if (run.error === undefined && run.status === 0) return null;
  const fault = run.error === undefined ? `ends with ${run.status ?? run.signal}` : 'is not installed';
  return `${program} ${fault} (${advice})`;
}
