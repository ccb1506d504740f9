import type { Issue, UpgradeReport } from '@ai-fabric/shared';

/** What an issue may hold. */
const MAX_DETAIL = 500;

/** What an operator should know of an upgrade that came to nothing; `null`: there is nothing of the kind. */
export function upgradeIssue(upgrade: UpgradeReport | null): Issue | null {
  if (upgrade?.phase !== 'rolled_back' && upgrade?.phase !== 'failed') return null;
  const { phase, version, detail } = upgrade;
  const what = phase === 'failed' ? 'was not put in place' : 'was put in place, and taken back';
  return {
    ...{ code: 'upgrade_failed', subject: 'host', severity: 'warning' },
    detail: `Agent ${version} ${what}: ${detail ?? 'it did not say why'}`.slice(0, MAX_DETAIL),
    fix: 'Look at the agent’s log on the host, and mend what it names; then: ai-fabric hosts upgrade HOST',
  };
}
