import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Clock } from '@ai-fabric/shared';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../link/testing/fake-control-plane.js';
import { QuickClock } from '../testing/quick-clock.js';
import { releaseFetch } from './release-fetch.js';
import { stageRelease } from './stage-release.js';
import { RELEASE_KEY, ReleaseServer } from './testing/release-server.js';

/** As `dialPinnedTls` has it. */
const DIAL_TIMEOUT_MS = 10_000;

let certificate: TestCertificate;
let other: TestCertificate;
let server: ReleaseServer;
let folder: string;

beforeAll(async () => {
  [certificate, other] = await Promise.all([makeCertificate(), makeCertificate()]);
});
beforeEach(async () => {
  // Hardly to be packed, so that it can be cut off in several places.
  const program = Buffer.from(
    Array.from({ length: 200_000 }, (_, at) => (at * at * 31 + (at >> 7) * 17) % 251),
  );
  server = await ReleaseServer.start(certificate, program);
  folder = mkdtempSync(join(tmpdir(), 'stage-'));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Change {
  readonly releaseKey?: string | null;
  readonly manifestSha256?: string;
  readonly certificateSha256?: string;
  readonly signal?: AbortSignal;
  readonly ownVersion?: string;
}

function stage(change: Change = {}): Promise<void> {
  const { certificateSha256 = certificate.sha256, releaseKey = RELEASE_KEY, ownVersion = '0.1.0' } = change;
  const clock = new QuickClock(1_000);
  return stageRelease({
    fetch: releaseFetch({
      address: { ...server.address, certificateSha256 },
      clock: wholeClock(clock),
    }),
    ...{ folder, releaseKey, ownVersion, manifestSha256: change.manifestSha256 ?? server.manifestSha256 },
    platform: { os: 'linux', architecture: 'x64' },
    signal: change.signal ?? new AbortController().signal,
  });
}

/** Pauses between attempts pass at once; the deadline of a dial does not. */
function wholeClock(quick: QuickClock): Clock {
  const real = new QuickClock(1);
  return {
    nowMs: () => quick.nowMs(),
    monotonicMs: () => quick.monotonicMs(),
    after: (delayMs, run) => (delayMs === DIAL_TIMEOUT_MS ? real : quick).after(delayMs, run),
    every: (periodMs, run) => quick.every(periodMs, run),
  };
}

describe('a release that is staged', () => {
  it('is fetched, proven and unpacked, beside its manifest and signature', async () => {
    await stage();
    expect(readdirSync(folder).sort()).toEqual(['ai-fabric-agent', 'manifest.json', 'manifest.sig']);
    expect(readFileSync(join(folder, 'ai-fabric-agent'))).toEqual(server.program);
    expect(statSync(join(folder, 'ai-fabric-agent')).mode & 0o777).toBe(0o700);
  });

  it('is staged anew over what was there', async () => {
    writeFileSync(join(folder, 'ai-fabric-agent'), 'half of an earlier one');
    writeFileSync(join(folder, 'manifest.json'), '{}');
    await stage();
    await stage();
    expect(readFileSync(join(folder, 'ai-fabric-agent'))).toEqual(server.program);
  });

  it('needs no signature for a development build', async () => {
    server.files.delete('manifest.sig');
    await stage({ releaseKey: null });
    expect(readdirSync(folder)).not.toContain('manifest.sig');
  });

  it('goes on where the connection broke', async () => {
    const { length } = server.archive;
    server.cuts.push(1_000, Math.floor(length / 2));
    await stage();
    expect(server.asked.filter((each) => each.includes('.gz')).length).toBe(3);
    expect(readFileSync(join(folder, 'ai-fabric-agent'))).toEqual(server.program);
  });

  it('is fetched from its beginning by who serves no parts', async () => {
    server.knowsRanges = false;
    server.cuts.push(1_000);
    await stage();
    expect(readFileSync(join(folder, 'ai-fabric-agent'))).toEqual(server.program);
  });

  it('goes on after an agent that was ended in it, and does not trust what is there', async () => {
    const archive = server.manifest.artefacts[0];
    const part = join(folder, `${archive?.sha256}.part`);
    writeFileSync(part, server.archive.subarray(0, 2_000));
    await stage();
    expect(server.asked.at(-1)).toContain('bytes=2000-');
    writeFileSync(part, Buffer.alloc(2_000, 1));
    await expect(stage()).rejects.toMatchObject({ code: 'damaged' });
    await stage();
    writeFileSync(part, Buffer.alloc(server.archive.length + 1));
    await stage();
  });

  it('waits for a control plane that is busy, and no longer than it helps', async () => {
    server.statuses.push(503, 500);
    await stage();
    server.statuses.push(...Array.from({ length: 6 }, () => 503));
    await expect(stage()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('503'),
    });
  });

  it.each<[string, string, () => Change | undefined]>([
    ['another release than was offered', 'release_changed', () => ({ manifestSha256: 'ab'.repeat(32) })],
    [
      'no release any more',
      'release_changed',
      () => {
        server.files.clear();
        return undefined;
      },
    ],
    [
      'a manifest of which one byte is another',
      'release_refused',
      () => {
        const bytes = server.files.get('manifest.json') ?? Buffer.alloc(0);
        server.files.set('manifest.json', Buffer.from(bytes.toString().replace('0.2.0', '0.2.1')));
        return undefined;
      },
    ],
    [
      'no signature',
      'release_refused',
      () => {
        server.files.delete('manifest.sig');
        return undefined;
      },
    ],
    [
      'a signature without end',
      'release_refused',
      () => {
        server.files.set('manifest.sig', Buffer.alloc(5_000, 'A'));
        return undefined;
      },
    ],
    [
      'a manifest without end',
      'release_refused',
      () => {
        server.files.set('manifest.json', Buffer.alloc(400_000, ' '));
        return undefined;
      },
    ],
    [
      'an archive of which one byte is another',
      'damaged',
      () => {
        const bytes = Buffer.from(server.archive);
        bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
        server.files.set('ai-fabric-agent-linux-x64.gz', bytes);
        return undefined;
      },
    ],
    [
      'an archive that is longer',
      'damaged',
      () => {
        server.files.set('ai-fabric-agent-linux-x64.gz', Buffer.concat([server.archive, Buffer.alloc(9)]));
        return undefined;
      },
    ],
    [
      'an archive that is no archive',
      'damaged',
      () => {
        server.archive = Buffer.from('nothing packed');
        server.publish();
        return undefined;
      },
    ],
    [
      'a program that is not the manifest’s',
      'damaged',
      () => {
        server.archive = gzipSync('another program');
        server.publish();
        return undefined;
      },
    ],
    [
      'an archive that unpacks to more than is said',
      'damaged',
      () => {
        server.archive = gzipSync(Buffer.alloc(50_000_000));
        server.publish();
        return undefined;
      },
    ],
    ['an older version', 'older_version', () => ({ ownVersion: '0.3.0' })],
    ['the same version', 'same_version', () => ({ ownVersion: '0.2.0' })],
    ['another certificate', 'unreachable', () => ({ certificateSha256: other.sha256 })],
    ['no time for it', 'unreachable', () => ({ signal: AbortSignal.abort() })],
  ])('is not staged where there is %s', async (_what, code, spoil) => {
    const change = spoil() ?? {};
    await expect(stage(change)).rejects.toMatchObject({ name: 'UpgradeError', code });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('asks nobody but the holder of the certificate, and but once', async () => {
    await expect(stage({ certificateSha256: other.sha256 })).rejects.toThrow('another certificate');
    expect(server.asked).toEqual([]);
  });
});
