import { describe, expect, it } from 'vitest';
import { parseFabricText } from './parse-fabric-text.js';
import { badFabricFiles } from './testing/bad-fabric-files.js';
import { errorsOf } from './testing/fabric-texts.js';

describe('a fabric file with a mistake', () => {
  it.each(badFabricFiles)('%s is told with its place', (_, text, errors) => {
    expect(errorsOf(text).split('\n')).toEqual(errors.map((error) => `fabric.yaml:${error}`));
  });

  it('is told together with all the others, in the order of the file', () => {
    const text = [
      'version: 1',
      'hosts: { motoko: { mayBeAwy: true } }',
      'deployments:',
      '  a: { host: motko, task: chat, engine: external, url: http://a:1, servedModel: q }',
      'roles:',
      '  r: { task: chat, targets: [ { deployment: b } ], idleTimeoutSeconds: -1 }',
    ].join('\n');
    expect(errorsOf(text).split('\n')).toEqual([
      'fabric.yaml:2:20: hosts.motoko.mayBeAwy: unknown key "mayBeAwy"; did you mean "mayBeAway"?',
      'fabric.yaml:4:14: deployments.a.host: unknown host "motko"; did you mean "motoko"?',
      'fabric.yaml:6:45: roles.r.targets[0].deployment: unknown deployment "b"; known: a',
      'fabric.yaml:6:72: roles.r.idleTimeoutSeconds: expected more than 0, found -1',
    ]);
  });

  it('does not hide what else is wrong with the same entry, nor with what refers to it', () => {
    const text = [
      'version: 1',
      'hosts: { alpha: {} }',
      'deployments:',
      '  a: { host: alpah, task: embeddings, engine: external, url: nowhere, servedModel: bge }',
      '  b: { host: alpha, task: embeddings, engine: external, url: http://b:1, servedModel: nomic, extra: 1 }',
      'roles:',
      '  e: { task: embeddings, targets: [ { deployment: a }, { deployment: b } ], idleTimeoutSeconds: -1 }',
      '  c: { task: chat, targets: [ { deployment: b } ] }',
    ].join('\n');
    expect(
      errorsOf(text)
        .split('\n')
        .map((line) => line.split(': ')[1]),
    ).toEqual([
      'deployments.a.host',
      'deployments.a.url',
      'deployments.b.extra',
      'roles.e.targets[1]',
      'roles.e.idleTimeoutSeconds',
      'roles.c.targets[0]',
    ]);
  });

  it('lists fifty mistakes at most and counts the rest', () => {
    const hosts = Array.from({ length: 70 }, (_, index) => `  h${index}: { x: 1 }`).join('\n');
    const result = parseFabricText(`version: 1\nhosts:\n${hosts}`, 'fabric.yaml');
    expect(result).toMatchObject({ ok: false, moreErrors: 20 });
    expect(errorsOf(`version: 1\nhosts:\n${hosts}`).split('\n')).toHaveLength(51);
  });

  it('counts lines as editors do where lines end in CR LF and a byte order mark stands first', () => {
    expect(errorsOf(`\uFEFFversion: 1\r\nhosts:\r\n  motoko: { x: 1 }\r\n`)).toBe(
      'fabric.yaml:3:13: hosts.motoko.x: unknown key "x"; known: mayBeAway, timeZone, wake, sleep, owner, energy',
    );
  });
});
