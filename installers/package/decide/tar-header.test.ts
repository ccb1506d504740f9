import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { TAR_END_BYTES, tarHeader, tarPadding } from './tar-header.mjs';

const file = { name: 'bin/ai-fabric', folder: false, mode: 0o755, bytes: 5 };

describe('a member of a tar archive', () => {
  it('has a block of 512 bytes whose checksum is right', () => {
    const block = tarHeader(file, 1_700_000_000);
    expect(block).toHaveLength(512);
    const told = Number.parseInt(block.toString('latin1', 148, 154), 8);
    block.fill(' ', 148, 156);
    expect(told).toBe(block.reduce((sum, byte) => sum + byte, 0));
  });

  it.each([
    [0, 0],
    [1, 511],
    [511, 1],
    [512, 0],
    [513, 511],
  ])('of %d bytes is followed by %d zeros', (bytes, zeros) => {
    expect(tarPadding(bytes)).toBe(zeros);
  });

  it('may have a name of up to 255 letters, split at a slash', () => {
    const name = `${'folder/'.repeat(20)}${'f'.repeat(90)}`;
    const block = tarHeader({ ...file, name }, 0);
    const rest = block.toString('latin1', 0, 100).replaceAll('\0', '');
    const prefix = block.toString('latin1', 345, 500).replaceAll('\0', '');
    expect(`${prefix}/${rest}`).toBe(name);
  });

  it('is refused where its name has no room', () => {
    expect(() => tarHeader({ ...file, name: 'f'.repeat(101) }, 0)).toThrow('no room for the name');
    expect(() => tarHeader({ ...file, name: `${'a/'.repeat(200)}f` }, 0)).toThrow('no room for the name');
  });

  it('is refused where it is larger than the form can say', () => {
    expect(() => tarHeader({ ...file, bytes: 8 ** 11 }, 0)).toThrow('no room');
  });

  it.skipIf(process.platform === 'win32')('is read by the system’s own tar, with its mode', () => {
    const archive = Buffer.concat([
      tarHeader({ name: 'bin', folder: true, mode: 0o755, bytes: 0 }, 1_700_000_000),
      tarHeader(file, 1_700_000_000),
      Buffer.from('hello'),
      Buffer.alloc(tarPadding(5) + TAR_END_BYTES),
    ]);
    const listed = spawnSync('tar', ['-tvf', '-'], { input: archive, env: { ...process.env, TZ: 'UTC' } });
    expect(listed.stdout.toString()).toMatch(
      /^drwxr-xr-x root\/root .* bin\/\n-rwxr-xr-x root\/root +5 .* bin\/ai-fabric\n$/,
    );
  });
});
