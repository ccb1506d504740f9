import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { LightHost } from '../harness/light-host.js';
import { runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

interface LogLine {
  readonly level: number;
  readonly room?: string;
  readonly requestId?: string;
  readonly msg: string;
}

const DEBUG = 20;
const FABRIC = fabricYaml({
  hosts: { armitage: {} },
  deployments: {
    'first-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'qwen' },
    'second-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'llama' },
  },
  roles: { 'chat-fast': { targets: ['first-armitage', 'second-armitage'] } },
});

describe('the log', () => {
  const text: string[] = [];
  let controlPlane: BootedControlPlane;
  let armitage: LightHost;

  beforeAll(async () => {
    controlPlane = await BootedControlPlane.boot({ fabric: FABRIC, logLines: text });
    const { tlsUrl } = controlPlane;
    armitage = new LightHost({ tlsUrl, name: 'armitage', joinToken: await controlPlane.joinToken() });
    await armitage.link();
    armitage.serve('first-armitage', 'second-armitage');
    await eventually('chat-fast is ready', async () => {
      const role = await controlPlane.api<{ state: string }>('/roles/chat-fast');
      return role.state === 'ready';
    });
  });
  afterAll(async () => {
    await armitage?.close();
    await controlPlane?.close();
  });

  const lines = (): LogLine[] => text.map((line) => JSON.parse(line) as LogLine);
  const setLevel = (level: string) => runCli(['log-level', level, '--data', controlPlane.dataDirectory]);
  const ask = async (requestId: string, model: string): Promise<number> => {
    const headers = { 'content-type': 'application/json', 'x-request-id': requestId };
    const answer = await controlPlane.post('/v1/chat/completions', { model, messages: [] }, { headers });
    await answer.text();
    return answer.status;
  };
  const linesOf = (requestId: string): LogLine[] => lines().filter((line) => line.requestId === requestId);
  const malformed = async (): Promise<void> => {
    const socket = connect(Number(new URL(controlPlane.url).port), '127.0.0.1');
    socket.end('GARBAGE\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
  };
  const malformedSeen = () => lines().filter(({ msg }) => msg === 'a request could not be read').length;

  test('has at most one line for a request, with its id', async () => {
    await controlPlane.api('/log-level', { method: 'PUT', body: { level: 'debug' } });
    expect(await ask('both-fail', 'chat-fast')).toBeGreaterThanOrEqual(500);
    expect(await ask('unknown-model', 'no-such-model')).toBe(404);
    await eventually(
      'both are told',
      () => linesOf('both-fail').length + linesOf('unknown-model').length > 1,
    );
    expect(linesOf('both-fail')).toMatchObject([
      {
        level: 40,
        room: 'gateway',
        failures: [{ code: 'connect_refused' }, { code: 'connect_refused' }],
      },
    ]);
    expect(linesOf('unknown-model')).toMatchObject([
      { level: DEBUG, room: 'gateway', outcome: 'client_error' },
    ]);
  });

  test('is made louder and quieter while the control plane runs', async () => {
    expect(await setLevel('info')).toMatchObject({ exitCode: 0, stdout: 'info\n' });
    const before = malformedSeen();
    await malformed();
    await ask('not-told', 'no-such-model');
    expect(linesOf('not-told')).toEqual([]);
    expect(malformedSeen()).toBe(before);

    expect(await setLevel('debug')).toMatchObject({ exitCode: 0, stdout: 'debug\n' });
    await malformed();
    await ask('told', 'no-such-model');
    await eventually('both are told', () => linesOf('told').length > 0 && malformedSeen() > before);
    expect(linesOf('told')).toMatchObject([{ level: DEBUG, room: 'gateway' }]);
    expect(malformedSeen()).toBe(before + 1);
    expect(lines().findLast(({ msg }) => msg === 'the level of the log was changed')).toMatchObject({
      from: 'info',
      to: 'debug',
    });
  });

  test('says its level, and refuses one that it does not know', async () => {
    expect(await controlPlane.api('/log-level')).toEqual({ level: 'debug' });
    const shown = await runCli(['log-level', '--json', '--data', controlPlane.dataDirectory]);
    expect(JSON.parse(shown.stdout)).toEqual({ level: 'debug' });
    const unknown = await setLevel('loud');
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain(
      '<level>: expected fatal or error or warn or info or debug or trace or silent, found "loud"',
    );
    const refused = controlPlane.api('/log-level', { method: 'PUT', body: { level: 'loud' } });
    await expect(refused).rejects.toThrow('400');
  });
});
