import type { AgentLink } from '../link/agent-link.js';
import type { Reporter } from '../reporter/reporter.js';
import type { AgentTunnel } from '../tunnel/agent-tunnel.js';
import type { LinkedHost } from './host-power.js';

/** @param isClosing what closes for good does not come back */
export function linkedHost(
  { link, tunnel, reporter }: { link: AgentLink; tunnel: AgentTunnel; reporter: Reporter },
  isClosing: () => boolean,
): LinkedHost {
  return {
    goodbye: async (reason, detail) => {
      tunnel.unlinked();
      tunnel.slept();
      reporter.down();
      await link.stop(reason, detail);
    },
    back: () => {
      if (isClosing()) return;
      tunnel.slept();
      if (link.state.name === 'stopped') link.start();
      else link.resumed();
    },
  };
}
