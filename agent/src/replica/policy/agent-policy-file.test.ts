import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentPolicySchema, DEFAULT_AGENT_POLICY } from '@ai-fabric/shared';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../../config/agent-config.js';
import { parseAgentPolicy } from './parse-agent-policy.js';
import { readAgentPolicy } from './read-agent-policy.js';

const errorsOf = (text: string): readonly string[] => {
  const result = parseAgentPolicy(text, 'agent.yaml');
  return result.ok ? [] : result.errors;
};

describe('an owner’s agent.yaml', () => {
  it.each(['', '\n', '# nothing yet\n', 'version: 1\n'])('%j says nothing, and the defaults hold', (text) => {
    expect(parseAgentPolicy(text, 'f')).toEqual({ ok: true, policy: DEFAULT_AGENT_POLICY });
  });

  it('says what it says, and the rest stays as it was', () => {
    const text =
      'version: 1\nimages: [ghcr.io/me/*]\ntrustRemoteCode: true\nmemoryLimitGigabytes: 24\npower: []\n';
    expect(parseAgentPolicy(text, 'f')).toEqual({
      ok: true,
      policy: {
        ...DEFAULT_AGENT_POLICY,
        ...{ images: ['ghcr.io/me/*'], trustRemoteCode: true, memoryLimitGigabytes: 24, power: [] },
      },
    });
  });

  it.each([
    ['off', 'off'],
    ['confirm', 'confirm'],
    ['auto', 'auto'],
    ['true', 'confirm'],
    ['false', 'off'],
  ])('says what becomes of newer agents: %s', (said, upgrades) => {
    const result = parseAgentPolicy(`version: 1\nupgrades: ${said}\n`, 'f');
    expect(result).toEqual({ ok: true, policy: { ...DEFAULT_AGENT_POLICY, upgrades } });
  });

  it.each<[string, string]>([
    ['images: [a/b]', 'agent.yaml:1:1: version: expected 1'],
    ['version: 2', 'agent.yaml:1:10: version: expected 1'],
    ['version: 1\ntrustRemoteCode: yes please', 'agent.yaml:2:18: trustRemoteCode: expected true or false'],
    ['version: 1\nimages: a/b', 'agent.yaml:2:9: images: expected a list'],
    [
      'version: 1\nimages:\n  - a/b\n  - "a b"',
      'agent.yaml:4:5: images[1]: expected a repository such as vllm/vllm-openai',
    ],
    ['version: 1\nmemoryLimitGigabytes: 0', 'agent.yaml:2:23: memoryLimitGigabytes: expected more than 0'],
    [
      'version: 1\npower: [explode]',
      'agent.yaml:2:9: power[0]: expected suspend or hibernate or poweroff or reboot',
    ],
    [
      'version: 1\nmoreArguments: [enforce-eager]',
      'agent.yaml:2:17: moreArguments[0]: expected an option such as',
    ],
    ['version: 1\nprivileged: true', 'agent.yaml:2:13: privileged: unknown key; known: version, images'],
    ['version: 1\nversion: 1', 'agent.yaml:2:1: no valid YAML: Map keys must be unique'],
    ['version: [', 'agent.yaml:1:11: no valid YAML:'],
    ['- 1', 'agent.yaml:1:1: (the whole file): expected a mapping (name: value)'],
    ['hello', 'agent.yaml:1:1: (the whole file): expected a mapping (name: value)'],
  ])('%j is told with its place', (text, error) => {
    expect(errorsOf(text)[0]).toContain(error);
  });

  it('tells all mistakes at once, in the order of the file', () => {
    const errors = errorsOf('version: 1\nplugins: 1\npickle: 2\nupgrades: 3\n');
    expect(errors.map((each) => each.split(':')[1])).toEqual(['2', '3', '4']);
    expect(errors[2]).toContain('upgrades: expected off, confirm or auto');
  });

  it('is read or refused whatever it holds', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\n', '  ', ': ', '- ', '[', '{', '&a ', '*a', 'version: 1', 'images:'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const result = parseAgentPolicy(pieces.join(''), 'f');
        return result.ok || result.errors.length > 0;
      }),
    );
    expect(errorsOf('['.repeat(100_000))).toEqual(['agent.yaml:1:1: no valid YAML: nested too deeply']);
  });
});

describe('the file of the policy', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ai-fabric-policy-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('need not be there', async () => {
    expect(await readAgentPolicy(join(folder, 'absent.yaml'))).toBe(DEFAULT_AGENT_POLICY);
  });

  it('is an error where it is wrong, too large or unreadable', async () => {
    const file = join(folder, 'agent.yaml');
    writeFileSync(file, 'version: 1\nplugins: maybe\n');
    await expect(readAgentPolicy(file)).rejects.toThrow(`${file}:2:10: plugins: expected true or false`);
    writeFileSync(file, ' '.repeat(300_000));
    await expect(readAgentPolicy(file)).rejects.toThrow(ConfigError);
    await expect(readAgentPolicy(folder)).rejects.toThrow('cannot be read: EISDIR');
  });

  it('has a published schema, the one that the program has (else: npm run schema in control-plane)', () => {
    const published = readFileSync(
      new URL('../../../../docs/schema/agent.schema.json', import.meta.url),
      'utf8',
    );
    const schema = z.toJSONSchema(agentPolicySchema, { target: 'draft-7', io: 'input' });
    expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify({ ...schema, title: 'agent.yaml' })));
  });
});
