import type { ContainerEngineErrorCode } from '../../../containers/container-engine-error.js';
import { clipText } from '../../../sensors/decide/describe-issue.js';
import type { StepKind } from './container-step.js';
import { type ContainerIssueCode, type Trouble, trouble } from './container-trouble.js';
import { readEngineLog } from './read-engine-log.js';

/** What a container engine's refusal means for the replica. */
export function readContainerError(
  step: StepKind,
  { code, detail }: { readonly code: ContainerEngineErrorCode; readonly detail: string },
): Trouble {
  const said = clipText(detail, 400);
  const issue = issueOf(step, code, detail);
  const fix =
    code === 'registry_unreachable'
      ? 'Let the host reach the registry of the image (name, network, certificate), or fetch the image there by hand.'
      : code === 'unauthorized'
        ? 'The registry wants credentials, or has no such image: correct the image, or sign the host in to the registry.'
        : null;
  return trouble(issue, said, { fix });
}

function issueOf(step: StepKind, code: ContainerEngineErrorCode, detail: string): ContainerIssueCode {
  switch (code) {
    case 'unreachable':
    case 'timeout':
      return 'engine_unreachable';
    case 'image_not_found':
    case 'disk_full':
    case 'port_in_use':
    case 'name_taken':
    case 'cdi_spec_missing':
    case 'cdi_spec_stale':
    case 'driver_too_old':
    case 'driver_mismatch':
    case 'pull_failed':
      return code;
    case 'unauthorized':
    case 'registry_unreachable':
      return 'pull_failed';
    case 'gpu_unavailable':
      return 'gpu_not_in_container';
    case 'aborted':
    case 'not_found':
    case 'conflict':
    case 'bad_request':
    case 'engine_failed':
      return readEngineLog([detail])?.code ?? (step === 'pull' ? 'pull_failed' : 'engine_crashed');
    default:
      return code satisfies never;
  }
}
