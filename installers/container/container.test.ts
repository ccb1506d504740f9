import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const here = import.meta.dirname;
const containerfile = readFileSync(join(here, 'Containerfile'), 'utf8');
const packaging = readFileSync(join(here, '..', 'package', 'control-plane-artefact.mjs'), 'utf8');

describe('the container of the control plane', () => {
  it('is made of the archive that the packaging makes, and of nothing else', () => {
    const [, archive = ''] = /^ADD (\S+) /m.exec(containerfile) ?? [];
    expect(packaging).toContain(`'${archive}'`);
    expect(containerfile.match(/^(?:ADD|COPY) (?!--from)/gm)).toHaveLength(1);
  });

  it('runs as somebody who is not root, with its data where it says', () => {
    expect(containerfile).toMatch(/^USER [1-9]\d*:/m);
    const [, volume = ''] = /^VOLUME (\S+)$/m.exec(containerfile) ?? [];
    expect(containerfile).toContain(`AI_FABRIC_DATA=${volume}`);
    expect(containerfile).toMatch(/^ENTRYPOINT \["\/opt\/ai-fabric\/bin\/ai-fabric"\]$/m);
  });

  it('has an example that finds both, on the network that magic packets need', () => {
    const example = readFileSync(join(here, 'compose.yaml'), 'utf8');
    const settingOf = (name: string): string =>
      new RegExp(`^ +${name}: (\\S+)$`, 'm').exec(example)?.[1] ?? '';
    const context = resolve(here, settingOf('context'));
    expect(context).toBe(resolve(here, '..', '..', '.data', 'release'));
    expect(existsSync(resolve(context, settingOf('dockerfile')))).toBe(true);
    expect(settingOf('network_mode')).toBe('host');
  });
});
