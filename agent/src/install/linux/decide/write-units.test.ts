import { describe, expect, it } from 'vitest';
import { parseAgentPolicy } from '../../../replica/policy/parse-agent-policy.js';
import { helperVerbSchema } from '../../../root-helper/helper-verbs.js';
import { policyText } from '../../decide/policy-text.js';
import { OUR_MARK } from './linux-paths.js';
import { agentUnit, helperUnitText, podmanDropIn, polkitRule, rootlessDropIn } from './write-units.js';

/** polkit's own words, as far as the rule uses them. */
function judgeByRule(user: string, id: string, details: Readonly<Record<string, string>> = {}): string {
  let judge: (action: object, subject: object) => string = () => '';
  const polkit = {
    Result: { YES: 'yes', NOT_HANDLED: 'not handled' },
    addRule: (rule: typeof judge) => {
      judge = rule;
    },
  };
  new Function('polkit', polkitRule())(polkit);
  return judge({ id, lookup: (name: string) => details[name] }, { user });
}

describe('the service', () => {
  it.each(['MemoryDenyWriteExecute', 'PrivateDevices', 'ProcSubset'])('is never given %s', (setting) => {
    expect(agentUnit()).not.toMatch(new RegExp(`^${setting}=`, 'm'));
  });

  it('is started again whatever happens, and gets its key from systemd', () => {
    expect(agentUnit()).toMatch(/^Restart=always\nRestartSec=5$/m);
    expect(agentUnit()).toMatch(/^LoadCredential=host-key\.pem:\/etc\/ai-fabric-agent\/host-key\.pem$/m);
    expect(agentUnit()).toMatch(/^WantedBy=multi-user\.target$/m);
  });

  it('carries no secret and no token', () => {
    expect(agentUnit() + helperUnitText()).not.toMatch(/aifj_|TOKEN/);
  });
});

describe('the agent’s own Podman', () => {
  it('is reached though its folder is another one after a while, and homes are not', () => {
    const dropIn = rootlessDropIn(996);
    expect(dropIn).toContain('=unix:///run/user/996/podman/podman.sock\n');
    expect(dropIn).not.toMatch(/^Bind/m);
    expect(dropIn).toMatch(/^ProtectHome=no\nInaccessiblePaths=-\/home -\/root$/m);
  });
});

describe('each file', () => {
  it.each([agentUnit(), helperUnitText(), polkitRule(), podmanDropIn(), rootlessDropIn(999)])(
    'is known to be ours by its first line',
    (text) => {
      expect(text.split('\n')[0]).toContain(OUR_MARK);
      expect(text.endsWith('\n')).toBe(true);
    },
  );
});

describe('the rule of polkit', () => {
  const manage = 'org.freedesktop.systemd1.manage-units';

  it.each(helperVerbSchema.options)('lets the agent start %s', (verb) => {
    const unit = `ai-fabric-agent-helper@${verb}.service`;
    expect(judgeByRule('ai-fabric-agent', manage, { verb: 'start', unit })).toBe('yes');
  });

  it.each([
    ['another verb', { verb: 'stop', unit: 'ai-fabric-agent-helper@suspend.service' }],
    ['another unit', { verb: 'start', unit: 'sshd.service' }],
    ['another instance', { verb: 'start', unit: 'ai-fabric-agent-helper@rm.service' }],
    ['a unit with more behind it', { verb: 'start', unit: 'ai-fabric-agent-helper@suspend.service.evil' }],
    ['a unit with more before it', { verb: 'start', unit: 'x-ai-fabric-agent-helper@suspend.service' }],
    ['the service itself', { verb: 'restart', unit: 'ai-fabric-agent.service' }],
    ['no unit', {}],
  ])('leaves %s to others', (_what, details) => {
    expect(judgeByRule('ai-fabric-agent', manage, details)).toBe('not handled');
  });

  it('leaves other users to others', () => {
    const details = { verb: 'start', unit: 'ai-fabric-agent-helper@suspend.service' };
    expect(judgeByRule('anna', manage, details)).toBe('not handled');
  });

  it.each([
    ['org.freedesktop.login1.inhibit-block-sleep', 'yes'],
    ['org.freedesktop.login1.inhibit-delay-sleep', 'yes'],
    ['org.freedesktop.login1.inhibit-block-shutdown', 'not handled'],
    ['org.freedesktop.login1.power-off', 'not handled'],
    ['org.freedesktop.policykit.exec', 'not handled'],
  ])('says of %s: %s', (id, said) => {
    expect(judgeByRule('ai-fabric-agent', id)).toBe(said);
  });
});

it('the policy that is written is the one that holds without a file', async () => {
  const { DEFAULT_AGENT_POLICY } = await import('@ai-fabric/shared');
  const read = parseAgentPolicy(policyText('systemctl restart ai-fabric-agent'), 'agent.yaml');
  expect(read).toMatchObject({ ok: true, policy: DEFAULT_AGENT_POLICY });
});
