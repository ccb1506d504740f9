import { describe, expect, it } from 'vitest';
import { installNotStarted, isInstallStuck, nameInstallStep } from './name-install-step.mjs';

/** Lines as pnpm 12.21.0 wrote them with `--reporter=ndjson`, less their time and process. */
const resolved = '{"name":"pnpm:progress","level":"debug","status":"resolved","packageId":"ws@8.23.0"}';
const imported = '{"name":"pnpm:progress","level":"debug","status":"imported","packageId":"ws@8.23.0"}';
const retry = '{"name":"pnpm:request-retry","level":"debug","attempt":1,"error":{"message":"dns error"}}';
const build = (rest: string) =>
  `{"name":"pnpm:lifecycle","level":"debug","depPath":"better-sqlite3@12.11.1","optional":false,${rest},"stage":"install"}`;
const started = build('"script":"prebuild-install || node-gyp rebuild --release"');
const compiles = build('"line":"gyp info it worked if it ends with ok","stdio":"stderr"');
const compilesOn = build('"line":"  CC(target) Release/obj.target/sqlite3.o","stdio":"stdout"');

function progressAfter(...lines: string[]) {
  return lines.reduce(nameInstallStep, installNotStarted);
}

describe('the step of an install', () => {
  it('begins with the package manager itself', () => {
    expect(progressAfter().step).toBe('fetching the package manager');
  });

  it('counts the packages that are in place', () => {
    expect(progressAfter(resolved, resolved, imported).step).toBe('fetching packages (1 of 2)');
  });

  it('tells that the registry does not answer, until it does', () => {
    expect(progressAfter(resolved, retry).step).toContain('no answer from the registry');
    expect(progressAfter(resolved, retry, imported).step).toBe('fetching packages (1 of 1)');
  });

  it('speaks of compiling only once a compiler was needed', () => {
    expect(progressAfter(resolved, started).step).toBe('looking for a prebuilt better-sqlite3');
    expect(progressAfter(resolved, started, compiles, compilesOn).step).toContain(
      'compiling better-sqlite3 (about a minute',
    );
  });

  it('stays with the compile that failed', () => {
    expect(progressAfter(started, compiles, build('"exitCode":1')).step).toContain(
      'compiling better-sqlite3',
    );
    expect(progressAfter(started, compiles, build('"exitCode":0')).step).toBe('finishing');
  });

  it.each([
    '',
    'npm warn Unknown user config',
    '{ not JSON',
    '{"name":"pnpm:stats","added":3}',
    '{"name":1}',
  ])('is not changed by %j', (line) => {
    expect(progressAfter(resolved, imported, line)).toEqual(progressAfter(resolved, imported));
  });
});

describe('an install that says nothing', () => {
  it('hangs, when packages should be arriving', () => {
    expect(isInstallStuck(progressAfter(resolved), 44_000)).toBe(false);
    expect(isInstallStuck(progressAfter(resolved), 45_000)).toBe(true);
  });

  it('may be a compiler at work, for as long as that takes', () => {
    expect(isInstallStuck(progressAfter(started, compiles), 3_600_000)).toBe(false);
  });
});
