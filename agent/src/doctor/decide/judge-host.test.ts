import { describe, expect, it, test } from 'vitest';
import type { AgentFacts, HostCheck, HostCheckId, HostFacts } from '../host-checks.js';
import { judgeHost } from './judge-host.js';

const NOW_MS = 1_000_000;
const SERVER = 'https://motoko:8443';

type Runs = Extract<AgentFacts, { kind: 'runs' }>;

const running: Runs = {
  ...{ kind: 'runs', server: SERVER, hostName: 'armitage', startedAtMs: NOW_MS - 60_000 },
  link: {
    state: 'linked',
    linkedSinceMs: NOW_MS - 50_000,
    problem: null,
    problemCode: null,
    clockAheadMs: 40,
  },
};

const healthy: HostFacts = {
  ...{
    platform: 'linux',
    nowMs: NOW_MS,
    agent: running,
    service: { isEnabled: true, isActive: true, ending: null },
  },
  cards: [{ uuid: 'GPU-1', name: 'NVIDIA GeForce RTX 4070' }],
  ...{ areCardsRead: true, issues: [], engineFix: null, cdi: 'known_device', replicas: [], windows: null },
  containerEngine: { reachable: true, flavour: 'podman', version: '4.3.1', rootless: false, desktop: false },
  wake: [{ name: 'eth0', wired: true, arming: { supported: true, armed: true, detail: 'Wake-on: g' } }],
};

function check(id: HostCheckId, facts: Partial<HostFacts> = {}): HostCheck {
  const found = judgeHost({ ...healthy, ...facts }).find((each) => each.id === id);
  if (found === undefined) throw new Error(`there is no ${id}`);
  return found;
}

const link = (change: Partial<Runs['link']>, more: Partial<Runs> = {}): Partial<HostFacts> => ({
  agent: { ...running, ...more, link: { ...running.link, state: 'waiting', linkedSinceMs: null, ...change } },
});

const issue = (code: HostFacts['issues'][number]['code'], fix: string | null = null): Partial<HostFacts> => ({
  issues: [{ code, subject: 'host', severity: 'error', detail: `It is ${code}.`, fix }],
});

it('of a host that is as it should be is green, but for what only a replica proves', () => {
  const states = Object.fromEntries(judgeHost(healthy).map(({ id, state }) => [id, state]));
  expect(states).toEqual({
    ...{ linked: 'green', driver_and_cards: 'green', container_engine: 'green', cdi: 'green' },
    ...{ gpu_in_container: 'waiting', wake_arming: 'green', sign_in_at_boot: 'green' },
  });
});

test.each([
  [null, `to ${SERVER} as armitage`],
  [-60_000, `to ${SERVER} as armitage`],
  [61_000, `to ${SERVER} as armitage; this machine’s clock is 61 seconds ahead of the control plane’s`],
  [-3_600_000, `to ${SERVER} as armitage; this machine’s clock is 60 minutes behind the control plane’s`],
  [
    10 * 365 * 86_400_000,
    `to ${SERVER} as armitage; this machine’s clock is 3650 days ahead of the control plane’s`,
  ],
])('a link says where the clocks of its ends are apart: %s ms', (clockAheadMs, says) => {
  const facts = link({ state: 'linked', clockAheadMs });
  expect(check('linked', facts)).toEqual({ id: 'linked', state: 'green', says, fix: null });
});

const wrong: Partial<HostFacts>[] = [
  { agent: { kind: 'not_joined' } },
  { agent: { kind: 'silent', problem: 'It does not answer.' } },
  { agent: { kind: 'damaged', problem: 'It is damaged.', fix: 'Join anew.' } },
  { agent: { kind: 'stopped', server: SERVER, hostName: 'a' }, service: null },
  link({ problem: 'refused', problemCode: 'revoked' }),
  { ...issue('no_gpu'), cards: [] },
  { containerEngine: { reachable: false, code: 'engine_unreachable', detail: 'no socket' } },
  { cdi: 'no_spec' },
  issue('gpu_not_in_container'),
  {
    wake: [{ name: 'eth0', wired: true, arming: { supported: true, armed: false, detail: 'Wake-on: d' } }],
  },
  { service: null },
  { containerEngine: { reachable: false, code: 'sign_in_needed', detail: 'nobody is there' } },
  { containerEngine: { reachable: true, flavour: 'docker', version: '27', rootless: false, desktop: true } },
  { wake: [{ name: 'eth0', wired: true, arming: { supported: null, armed: null, detail: null } }] },
];

it('never says that something is wrong without what mends it', () => {
  for (const platform of ['linux', 'win32'] as const) {
    for (const facts of wrong) {
      const red = judgeHost({ ...healthy, ...facts, platform }).filter(({ state }) => state === 'red');
      expect(red.length).toBeGreaterThan(0);
      for (const { fix } of red) expect(fix).toBeTruthy();
    }
  }
});

it('names no file that the host lacks, and on Windows no program that is on no PATH', () => {
  for (const platform of ['linux', 'win32'] as const) {
    for (const facts of wrong) {
      const told = judgeHost({ ...healthy, ...facts, platform }).map(({ fix }) => fix ?? '');
      for (const fix of told) {
        expect(fix).not.toMatch(/docs\/|\.md\b/);
        if (platform === 'win32') expect(fix).not.toMatch(/(?<!Agent\\)ai-fabric-agent (?!run|-Startup)\w/);
      }
    }
  }
});

describe('the link', () => {
  it('says to whom and as whom', () => {
    expect(check('linked').says).toBe('to https://motoko:8443 as armitage');
  });

  test.each<[string, Partial<HostFacts>, string, RegExp]>([
    ['one that was never joined', { agent: { kind: 'not_joined' } }, 'red', /token create/],
    [
      'a service that is stopped',
      { agent: { kind: 'stopped', server: SERVER, hostName: 'a' } },
      'red',
      /systemctl start/,
    ],
    [
      'a service that keeps ending',
      {
        agent: { kind: 'stopped', server: SERVER, hostName: 'a' },
        service: {
          ...{ isEnabled: true, isActive: false },
          ending: { isRetried: true, restarts: 4, how: 'exit code 1', lastWords: 'error: no.' },
        },
      },
      'red',
      /journalctl -u ai-fabric-agent/,
    ],
    [
      'one whose state is damaged',
      { agent: { kind: 'damaged', problem: 'It is damaged.', fix: 'Join anew.' } },
      'red',
      /Join anew/,
    ],
    [
      'an agent that is no service',
      { agent: { kind: 'stopped', server: SERVER, hostName: 'a' }, service: null },
      'red',
      /ai-fabric-agent run/,
    ],
    ['one that hangs', { agent: { kind: 'silent', problem: 'It does not answer.' } }, 'red', /restart/],
    [
      'one that this user may not ask',
      { agent: { kind: 'silent', problem: 'It cannot be asked: permission denied.' } },
      'red',
      /^sudo ai-fabric-agent doctor$/,
    ],
    [
      'another machine with the key',
      link({ problem: 'no', problemCode: 'machine_mismatch' }),
      'red',
      /--new-identity/,
    ],
    [
      'a second holder of the key',
      link({ problem: 'no', problemCode: 'identity_in_use' }),
      'red',
      /--new-identity/,
    ],
    ['a host that was removed', link({ problem: 'no', problemCode: 'unknown_host' }), 'red', /--rejoin/],
    ['a host that was revoked', link({ problem: 'no', problemCode: 'revoked' }), 'red', /--rejoin/],
    ['another certificate', link({ problem: 'no', problemCode: 'pin_mismatch' }), 'red', /--rejoin/],
    [
      'a protocol that is too old',
      link({ problem: 'no', problemCode: 'protocol_too_old' }),
      'red',
      /token create.*upgrades the agent in place/,
    ],
    [
      'a control plane with one that is too old',
      link({ problem: 'no', problemCode: 'control_plane_too_old' }),
      'red',
      /^Upgrade the control plane/,
    ],
    [
      'a control plane that is away',
      link({ problem: 'refused', problemCode: 'unreachable' }),
      'red',
      /curl -k https:\/\/motoko:8443/,
    ],
    ['no link and no word of it', link({}), 'red', /curl/],
  ])('is judged: %s', (_what, facts, state, fix) => {
    const found = check('linked', facts);
    expect(found.state).toBe(state);
    expect(found.fix).toMatch(fix);
  });

  it('has a moment at the start', () => {
    expect(check('linked', link({}, { startedAtMs: NOW_MS - 1_000 })).state).toBe('waiting');
  });
});

describe('driver and cards', () => {
  it.each(['no_gpu', 'driver_not_loaded', 'driver_mismatch', 'driver_hung', 'gpu_lost'] as const)(
    '%s is told in its own words, with its own fix',
    (code) => {
      expect(check('driver_and_cards', issue(code, 'Do this.'))).toMatchObject({
        ...{ state: 'red', says: `It is ${code}.`, fix: 'Do this.' },
      });
    },
  );

  it('are waited for, and then missing', () => {
    expect(check('driver_and_cards', { cards: [], areCardsRead: false }).state).toBe('waiting');
    expect(check('driver_and_cards', { cards: [], areCardsRead: true }).state).toBe('red');
  });

  it('are all named', () => {
    const cards = ['RTX 2080', 'RTX 4070'].map((name, at) => ({ uuid: `GPU-${at}`, name }));
    expect(check('driver_and_cards', { cards }).says).toBe('RTX 2080, RTX 4070');
  });

  it('do not mind what is wrong elsewhere', () => {
    expect(check('driver_and_cards', issue('clock_skew')).state).toBe('green');
  });
});

describe('the container engine', () => {
  const away = (code: string): Partial<HostFacts> => ({
    containerEngine: { reachable: false, code, detail: 'It is away.' },
  });

  it.each([
    [{ flavour: 'podman', version: '4.3.1', rootless: true, desktop: false }, 'Podman 4.3.1, rootless'],
    [{ flavour: 'docker', version: '27.0', rootless: false, desktop: false }, 'Docker 27.0'],
    [{ flavour: 'docker', version: '27.0', rootless: false, desktop: true }, 'Docker 27.0, Desktop'],
  ])('%j', (engine, says) => {
    expect(check('container_engine', { containerEngine: { reachable: true, ...engine } }).says).toBe(says);
  });

  it.each([
    ['engine_unreachable', /--podman-socket group/],
    ['engine_too_old', /Podman 4\.0/],
    ['sign_in_needed', /enable-linger/],
  ])('is away: %s', (code, fix) => {
    expect(check('container_engine', away(code))).toMatchObject({
      state: 'red',
      fix: expect.stringMatching(fix),
    });
  });

  it.each([
    ['Nobody listens on SOCKET: its engine has stopped.', 'enable --now podman.socket'],
    ['No container engine has its socket at SOCKET.', 'enable --now podman.socket'],
    ['The container engine at SOCKET does not answer (timeout).', 'restart podman.service'],
  ])('is a user’s own, and is not mended by rights of root: %s', (says, verb) => {
    const detail = says.replace('SOCKET', '/run/user/996/podman/podman.sock');
    const containerEngine = { reachable: false, code: 'engine_unreachable', detail } as const;
    expect(check('container_engine', { containerEngine }).fix).toBe(
      `sudo systemctl --user --machine=996@.host ${verb}`,
    );
  });

  it('is a user’s own, whose services are to run without a session', () => {
    const detail =
      'The container engine at /run/user/996/podman/podman.sock is a user’s own, and nobody is signed in.';
    const containerEngine = { reachable: false, code: 'sign_in_needed', detail } as const;
    const fix =
      'sudo loginctl enable-linger 996 && sudo systemctl --user --machine=996@.host enable --now podman.socket';
    expect(check('container_engine', { containerEngine }).fix).toBe(fix);
    expect(check('sign_in_at_boot', { containerEngine }).fix).toBe(fix);
  });

  it('may be anybody’s where none is found', () => {
    const detail =
      'No container engine has its socket at /var/run/docker.sock, /run/user/1000/podman/podman.sock.';
    const containerEngine = { reachable: false, code: 'engine_unreachable', detail } as const;
    expect(check('container_engine', { containerEngine }).fix).toMatch(/--podman-socket group/);
  });

  it('takes the fix of who looked for it', () => {
    expect(check('container_engine', { ...away('engine_unreachable'), engineFix: 'Do that.' }).fix).toBe(
      'Do that.',
    );
  });

  it('is waited for', () => {
    expect(check('container_engine', { containerEngine: null }).state).toBe('waiting');
    expect(check('cdi', { containerEngine: null }).state).toBe('waiting');
    const windows = { containerEngine: null, platform: 'win32' } as const;
    expect(check('sign_in_at_boot', windows).state).toBe('waiting');
  });
});

describe('CDI', () => {
  it.each(['no_spec', 'unknown_device'] as const)('is to be generated where there is %s', (cdi) => {
    expect(check('cdi', { cdi })).toMatchObject({
      state: 'red',
      fix: expect.stringContaining('nvidia-ctk cdi generate'),
    });
  });

  it('is nothing to Docker, to a host without a card, and to one without an engine', () => {
    const docker = {
      reachable: true,
      flavour: 'docker',
      version: '27',
      rootless: false,
      desktop: false,
    } as const;
    const away = { reachable: false, code: 'engine_unreachable', detail: '' } as const;
    for (const facts of [{ containerEngine: docker }, { cards: [] }, { containerEngine: away }]) {
      expect(check('cdi', { ...facts, cdi: 'no_spec' }).state).toBe('not_applicable');
    }
  });
});

describe('the GPU in a container', () => {
  it('is lost by an issue, and not applicable without a card or an engine', () => {
    expect(check('gpu_in_container', issue('gpu_not_in_container', 'Do this.'))).toMatchObject({
      state: 'red',
      fix: 'Do this.',
    });
    expect(check('gpu_in_container', { cards: [] }).state).toBe('not_applicable');
    expect(check('gpu_in_container', { cards: [], areCardsRead: false }).state).toBe('waiting');
  });
});

describe('wake arming', () => {
  const wake = (armed: boolean | null, wired = true, detail = 'as it is'): HostFacts['wake'] => [
    { name: 'eth0', wired, arming: { supported: null, armed, detail } },
  ];

  it.each<[HostFacts['wake'], string, RegExp | null]>([
    [wake(true), 'green', null],
    [wake(false), 'red', /ethtool -s eth0 wol g/],
    [wake(null), 'red', /^sudo ethtool eth0/],
    [wake(null, true, 'ethtool is not there or failed'), 'red', /install ethtool/],
    [wake(true, false), 'not_applicable', null],
    [[], 'not_applicable', null],
    [null, 'waiting', null],
  ])('%j is %s', (facts, state, fix) => {
    const found = check('wake_arming', { wake: facts });
    expect(found.state).toBe(state);
    if (fix === null) expect(found.fix).toBeNull();
    else expect(found.fix).toMatch(fix);
  });

  it('is enough on one of several cards', () => {
    expect(check('wake_arming', { wake: [...(wake(false) ?? []), ...(wake(true) ?? [])] }).state).toBe(
      'green',
    );
  });
});

describe('sign-in at boot', () => {
  it.each<[Partial<HostFacts>, string, RegExp | null]>([
    [{}, 'green', null],
    [{ service: null }, 'red', /install/],
    [{ service: { isEnabled: false, isActive: true, ending: null } }, 'red', /systemctl enable/],
    [
      {
        containerEngine: {
          reachable: true,
          flavour: 'docker',
          version: '27',
          rootless: false,
          desktop: true,
        },
      },
      'red',
      /without Desktop/,
    ],
    [{ containerEngine: { reachable: false, code: 'sign_in_needed', detail: '' } }, 'red', /enable-linger/],
  ])('%#', (facts, state, fix) => {
    const found = check('sign_in_at_boot', facts);
    expect(found.state).toBe(state);
    if (fix !== null) expect(found.fix).toMatch(fix);
  });
});

describe('on Windows', () => {
  const windows = (hasLogonTask: boolean, fastStartup: boolean | null): Partial<HostFacts> => ({
    ...{ platform: 'win32', windows: { hasLogonTask, fastStartup } },
    containerEngine: { reachable: true, flavour: 'docker', version: '27', rootless: false, desktop: true },
  });

  it.each([
    [true, 'red', /HiberbootEnabled/],
    [false, 'green', null],
    [null, 'not_applicable', null],
  ] as const)('fast startup that is %s is %s', (fastStartup, state, fix) => {
    const found = check('fast_startup', windows(false, fastStartup));
    expect(found.state).toBe(state);
    if (fix !== null) expect(found.fix).toMatch(fix);
  });

  it('is nothing to other systems', () => {
    expect(judgeHost(healthy).map(({ id }) => id)).not.toContain('fast_startup');
  });

  it.each([
    [false, /--docker-logon-task/],
    [true, /suspend rather than shut down/],
  ])('somebody has to sign in, with a task at sign-in: %s', (hasLogonTask, fix) => {
    const away = { reachable: false, code: 'sign_in_needed', detail: '' } as const;
    for (const facts of [
      windows(hasLogonTask, null),
      { ...windows(hasLogonTask, null), containerEngine: away },
    ]) {
      const found = check('sign_in_at_boot', facts);
      expect(found.state).toBe('red');
      expect(found.fix).toMatch(fix);
    }
  });

  it('who may not ask the agent is told who may', () => {
    const facts = { ...windows(false, null), agent: { kind: 'silent', problem: 'connect EPERM' } } as const;
    expect(check('linked', facts).fix).toMatch(/administrator/);
  });
});
