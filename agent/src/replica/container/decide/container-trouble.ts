/** What may stand between a declared replica and its first token. Each has a runbook: `docs/runbooks/<code>.md`. */
export const containerIssueCodes = [
  'engine_unreachable',
  'sign_in_needed',
  'engine_too_old',
  'image_not_found',
  'pull_failed',
  'disk_full',
  'gpu_not_in_container',
  'cdi_spec_missing',
  'cdi_spec_stale',
  'vram_insufficient',
  'port_in_use',
  'model_not_found',
  'hf_token_needed',
  'hub_unreachable',
  'driver_too_old',
  'driver_mismatch',
  'load_timeout',
  'engine_crashed',
  'engine_model_missing',
  'engine_proof_failed',
  'crash_looping',
  'name_taken',
  'container_not_found',
  'policy_refused',
] as const;
export type ContainerIssueCode = (typeof containerIssueCodes)[number];

/** A failure of a replica: what it is, in words, and what mends it. */
export interface Trouble {
  readonly code: ContainerIssueCode;
  readonly detail: string;
  readonly fix: string;
  /** The container's last lines, oldest first; empty where it has none to do with it. */
  readonly lastLines: readonly string[];
}

const FIXES: Readonly<Record<ContainerIssueCode, string>> = {
  engine_unreachable: 'Start Docker or Podman on the host, and let the agent reach its socket.',
  sign_in_needed: 'Sign in on the host once: Docker Desktop starts with the user.',
  engine_too_old: 'Upgrade Docker or Podman on the host.',
  image_not_found: 'Correct the image of the deployment: its registry has no such name, tag or digest.',
  pull_failed: 'Look at the reason; the pull is tried again by itself, and layers that are whole are kept.',
  disk_full: 'Make room on the disk of the container engine: remove images and model files that nobody uses.',
  gpu_not_in_container:
    'See that nvidia-smi works on the host, then that the NVIDIA container toolkit is installed.',
  cdi_spec_missing: 'On the host: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
  cdi_spec_stale:
    'On the host: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml (the driver was updated).',
  vram_insufficient:
    'Free memory of the card, or lower contextTokens, maxConcurrent or the memory share, or choose a smaller model.',
  port_in_use:
    'Stop what has the port, or give the deployment another port, or none (the agent then chooses one).',
  model_not_found: 'Correct model or revision; a private model looks like this too and needs HF_TOKEN.',
  hf_token_needed:
    "Accept the model's licence on huggingface.co, put a token into a file on the host and name it as HF_TOKEN in the environment of the deployment.",
  hub_unreachable:
    'Let the host reach huggingface.co once; weights that are whole in the cache load without it.',
  driver_too_old: "Update the host's NVIDIA driver, or choose an image that was built for an older CUDA.",
  driver_mismatch: 'Reboot the host: its NVIDIA driver was updated, and the old one is still loaded.',
  load_timeout: 'Look at the last lines; a slow disk or download needs a longer readyWithin.',
  engine_crashed: "Look at the engine's last lines: ai-fabric logs DEPLOYMENT.",
  engine_model_missing: "Set the deployment's servedModel to a name that the engine lists.",
  engine_proof_failed: "Look into the engine's log: ai-fabric logs DEPLOYMENT. It is asked again by itself.",
  crash_looping:
    'Look at the last lines and mend their cause, then: ai-fabric deployments restart DEPLOYMENT. It is tried again by itself, each time later.',
  name_taken: 'Rename or remove the container that has the name, or adopt it: ai-fabric deployments adopt.',
  container_not_found:
    'Correct the name of the container to adopt: ai-fabric deployments adopt DEPLOYMENT --container NAME.',
  policy_refused: "Change the deployment, or allow it in this host's agent.yaml (only its owner can).",
};

export function trouble(
  code: ContainerIssueCode,
  detail: string,
  more: { readonly fix?: string | null; readonly lastLines?: readonly string[] } = {},
): Trouble {
  return { code, detail, fix: more.fix ?? FIXES[code], lastLines: more.lastLines ?? [] };
}
