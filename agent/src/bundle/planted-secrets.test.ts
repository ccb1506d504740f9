import { MASK } from '@ai-fabric/shared';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { maskVariables, secretsOfEnvironment, secretsOfTree } from './decide/find-secrets.js';
import { Findings } from './findings.js';
import { packFindings } from './pack-findings.js';

const facts = {
  ...{ madeAt: '2026-11-30T00:00:00.000Z', program: 'ai-fabric-agent 0.1.0', version: '0.1.0', commit: null },
  ...{ protocol: 6, node: 'v22.0.0', platform: 'linux', kernel: '6.1' },
};

/** Where a secret is known from, so that it is masked wherever else it stands. */
const plant: readonly ((secret: string) => Findings)[] = [
  (secret) => {
    const findings = new Findings();
    findings.secret(...secretsOfEnvironment({ HF_TOKEN: secret, PATH: '/usr/bin' }, 'the environment'));
    return findings;
  },
  (secret) => {
    const findings = new Findings();
    const text = stringify({
      version: 1,
      registry: { user: 'me', password: secret, more: [{ apiKeys: [secret] }] },
    });
    findings.secret(...secretsOfTree(parse(text), 'agent.yaml'));
    findings.file({ name: 'config/agent.yaml', text, source: 'agent.yaml' });
    return findings;
  },
  (secret) => {
    const findings = new Findings();
    const variables = [`VLLM_API_KEY=${secret}`, 'NVIDIA_VISIBLE_DEVICES=all', 'GREETING=hello'];
    const inspected = { Path: 'vllm', Args: ['serve', '--port', '8000'], Config: { Env: variables } };
    findings.secret(...secretsOfTree(inspected, 'container qwen'));
    const shown = { ...inspected, Config: { Env: maskVariables(variables, MASK) } };
    findings.file({ name: 'containers/qwen.json', text: JSON.stringify(shown, null, 2), source: 'inspect' });
    return findings;
  },
  (secret) => {
    const findings = new Findings();
    const inspected = {
      Args: ['serve', '--api-key', secret, secret, '--port', '8000', `--hf-token=${secret}`],
    };
    findings.secret(...secretsOfTree(inspected, 'container qwen'));
    findings.file({ name: 'containers/qwen.json', text: JSON.stringify(inspected), source: 'inspect' });
    return findings;
  },
  (secret) => {
    const findings = new Findings();
    const proxy = `http://me:${encodeURIComponent(secret)}@proxy:3128`;
    findings.secret(...secretsOfEnvironment({ https_proxy: proxy }, 'the environment'));
    findings.file({
      name: 'config/environment.json',
      text: JSON.stringify({ proxy }),
      source: 'environment',
    });
    return findings;
  },
  (secret) => {
    const findings = new Findings();
    const memory = { version: 1, replicas: { qwen: { key: secret, port: 8000 } } };
    findings.secret(...secretsOfTree(memory, 'replicas.json'));
    return findings;
  },
];

/** How programs write what they should not. */
const leaks: readonly ((secret: string) => string)[] = [
  (secret) => `2026-11-30 it was refused: ${secret}, twice\n`,
  (secret) => `${JSON.stringify({ level: 30, msg: `starting with ${secret}`, env: { X: secret } })}\n`,
  (secret) => `${JSON.stringify({ level: 30, msg: JSON.stringify({ key: secret }) })}\n`,
  (secret) => `GET https://hub.example.net/x?k=${encodeURIComponent(secret)}&y=1\n`,
  (secret) => `  ExecStart=vllm serve --something ${secret} --port 8000\n`,
  (secret) => `auth: ${Buffer.from(secret).toString('base64')}\n`,
  (secret) => `docker run -e X='${secret}' image\n`,
];

const secretText = fc.oneof(
  fc.string({ minLength: 8, maxLength: 60 }),
  fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }),
  fc.base64String({ minLength: 12, maxLength: 80 }),
  fc.uuid(),
);

it('no planted secret is in any file of a bundle', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(secretText, fc.nat(plant.length - 1)), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(leaks.length - 1), { minLength: 1, maxLength: 6 }),
      (planted, written) => {
        const secrets = planted.map(([secret]) => secret.trim());
        fc.pre(secrets.every((secret) => secret.length >= 8 && !looksHarmless(secret)));
        const found = new Findings();
        planted.forEach(([, at], index) => {
          const own = plant[at]?.(secrets[index] ?? '') ?? new Findings();
          for (const file of own.files) found.file({ ...file, name: `${index}/${file.name}` });
          found.secret(...own.secrets);
        });
        const log = written.flatMap((at) => secrets.map((secret) => leaks[at]?.(secret) ?? '')).join('');
        found.file({ name: 'logs/journal.txt', text: log, source: `journal of ${secrets[0]}` });
        found.lack('containers/engine', new Error(`refused with ${secrets.at(-1)}`));
        const { files } = packFindings(found, { facts, redaction: null });
        for (const { name, text } of files) {
          for (const secret of secrets) {
            for (const form of [
              secret,
              JSON.stringify(secret).slice(1, -1),
              encodeURIComponent(secret),
              base64(secret),
            ]) {
              expect(text.includes(form), `${form} in ${name}`).toBe(false);
            }
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

function base64(secret: string): string {
  return Buffer.from(secret).toString('base64');
}

/** Text that a bundle has anyway, or that is no text. */
function looksHarmless(secret: string): boolean {
  return (
    /[\ud800-\udfff]/.test(secret) ||
    /^[\s\d.,:"'{}[\]-]*$/.test(secret) ||
    JSON.stringify(facts).includes(secret)
  );
}

it('a bundle says what it masked, and has none of the values', () => {
  const found = new Findings();
  found.secret({ origin: 'HF_TOKEN of the service', value: 'abcdefgh' });
  found.file({ name: 'logs/journal.txt', text: 'abcdefgh and abcdefgh\nx\n', source: 'journalctl' });
  const { manifest, files } = packFindings(found, { facts, redaction: null });
  expect(manifest.secrets).toEqual(['HF_TOKEN of the service']);
  expect(manifest.files).toMatchObject([{ name: 'logs/journal.txt', masked: 2, cut: false }]);
  expect(files.map(({ name }) => name)).toEqual(['manifest.json', 'logs/journal.txt']);
});

it('a bundle is bounded, file by file and in all, by whole lines', () => {
  const found = new Findings();
  const text = Array.from({ length: 100 }, (_, at) => `line ${at}\n`).join('');
  found.file({ name: 'first', text, source: 'x', keeps: 'first' });
  found.file({ name: 'last', text, source: 'x', keeps: 'last' });
  found.file({ name: 'more', text, source: 'x' });
  const { manifest, files } = packFindings(found, {
    ...{ facts, redaction: null, maxFileBytes: 100, maxTotalBytes: 250 },
  });
  expect(manifest.files.map(({ name, cut }) => [name, cut])).toEqual([
    ['first', true],
    ['last', true],
  ]);
  expect(manifest.missing).toEqual([{ name: 'more', reason: 'the bundle would have more than 250 bytes' }]);
  expect(files[1]?.text).toMatch(/^line 0\n[\s\S]*line \d+\n$/);
  expect(files[2]?.text).toMatch(/^line \d+\n[\s\S]*line 99\n$/);
  for (const { text: kept } of files.slice(1)) expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(100);
});
