import { describe, expect, it } from 'vitest';
import { explainInstallFailure } from './explain-install-failure.mjs';

const noPython =
  '{"name":"pnpm:lifecycle","depPath":"better-sqlite3@12.11.1","line":"prebuild-install warn install getaddrinfo ENOTFOUND github.com"}\n' +
  '{"name":"pnpm:lifecycle","depPath":"better-sqlite3@12.11.1","line":"gyp ERR! find Python"}';
const base = { log: noPython, missingTools: [], platform: 'linux' } as const;

describe('why an install failed', () => {
  it('names exactly what a compile lacks, and how each system gets it', () => {
    const text = explainInstallFailure({ ...base, missingTools: ['python3', 'compiler'] });
    expect(text).toContain('that needs Python 3 and a C++ compiler, which this machine lacks');
    expect(text).toContain('sudo apt-get install -y python3 g++\n');
    expect(text).toContain('sudo dnf install -y python3 gcc-c++');
    expect(text).not.toContain('make');
  });

  it('gives the commands of the system that it runs on', () => {
    const missingTools = ['python3', 'compiler'] as const;
    expect(explainInstallFailure({ ...base, missingTools, platform: 'darwin' })).toContain(
      'xcode-select --install',
    );
    const windows = explainInstallFailure({ ...base, missingTools, platform: 'win32' });
    expect(windows).toContain('winget install Python');
    expect(windows).toContain('VCTools');
  });

  it('says that headers are missing, not the network, when all tools are there', () => {
    expect(explainInstallFailure(base)).toContain("Node's own header files");
  });

  it('leaves a refusal of the compiler to the log', () => {
    expect(
      explainInstallFailure({ ...base, log: 'gyp ERR! build error\nerror: no member named x' }),
    ).toContain('the compiler refused');
  });

  it.each([
    'npm error code EAI_AGAIN',
    'npm error code ENOTFOUND',
    'connect ECONNREFUSED 127.0.0.1:9',
    '"error":{"message":"Failed to fetch x.tgz: error sending request: client error (Connect): dns error"}',
  ])('knows a network that is not there: %s', (log) => {
    expect(explainInstallFailure({ ...base, log })).toContain('The package registry could not be reached');
  });

  it('knows a lock file that nobody brought up to date', () => {
    const log =
      'Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json.';
    expect(explainInstallFailure({ ...base, log })).toContain('commit pnpm-lock.yaml');
  });

  it('knows a full disk, whatever else the log complains of', () => {
    const log = `${noPython}\nENOSPC: no space left on device, write`;
    expect(explainInstallFailure({ ...base, log })).toContain('The disk is full');
  });

  it('does not guess', () => {
    expect(explainInstallFailure({ ...base, log: 'something new' })).toContain('not one of the known ones');
  });
});
