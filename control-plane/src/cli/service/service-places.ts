/** Where an installed control plane has its things; nobody else writes these paths down. */
export const PLACES = {
  program: '/opt/ai-fabric',
  versions: '/opt/ai-fabric/versions',
  /** A link to the version that runs. */
  current: '/opt/ai-fabric/current',
  command: '/usr/local/bin/ai-fabric',
  settings: '/etc/ai-fabric',
  fabricFile: '/etc/ai-fabric/fabric.yaml',
  /** What was made of a LiteLLM configuration, where there is a fabric.yaml already. */
  importedFile: '/etc/ai-fabric/fabric.from-litellm.yaml',
  variables: '/etc/ai-fabric/control-plane.env',
  record: '/etc/ai-fabric/installed.json',
  data: '/var/lib/ai-fabric',
  /** Of the registry, made before each upgrade. */
  backups: '/var/lib/ai-fabric/upgrade-backups',
  unit: '/etc/systemd/system/ai-fabric.service',
  /** Where "systemctl edit" puts the owner's settings: a later installation runs with them. */
  dropIns: '/etc/systemd/system/ai-fabric.service.d',
} as const;

export const SERVICE = 'ai-fabric.service';
export const SERVICE_USER = 'ai-fabric';

/** Stands in our unit: a service of that name without it is somebody else's. */
export const UNIT_MARK = 'X-AIFabric=control-plane';
