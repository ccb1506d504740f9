import { JOIN_LINE, joinLineWith, rejoinAdvice } from '../../own-command.js';

/**
 * What mends a link that one of both sides does not want; `null`: it wants nothing but to be reached.
 *
 * @param code of the link's problem
 * @param isService whether an install made a service of the agent
 */
export function fixOfLink(code: string | null, isService: boolean, platform: NodeJS.Platform): string | null {
  switch (code) {
    case 'machine_mismatch':
    case 'identity_in_use':
      return `Another machine has this host's key. Is this disk a copy? Run ${joinLineWith('--new-identity')}.`;
    case 'unknown_host':
    case 'proof_failed':
    case 'revoked':
      return rejoinAdvice(isService, platform);
    case 'pin_mismatch':
      return `The control plane has another certificate than this host was given. Where that is meant to be: ${rejoinAdvice(isService, platform)}`;
    case 'protocol_too_old':
      // What an upgrade would fetch is offered over the link that is refused.
      return `Run ${JOIN_LINE}: it upgrades the agent in place, and this host stays who it is.`;
    case 'control_plane_too_old':
      return 'Upgrade the control plane: on its host, run install-control-plane.sh of a newer release.';
    default:
      return null;
  }
}
