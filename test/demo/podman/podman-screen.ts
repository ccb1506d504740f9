import { CONTAINER, type PodmanFabric } from './podman-fabric.js';

interface RoleSummary {
  readonly name: string;
  readonly state: string;
  readonly servedBy: string | null;
}

/** One screen of the deployment, its container and its role, as lines. */
export async function readPodmanScreen(fabric: PodmanFabric): Promise<string[]> {
  const { name, contextTokens, observed } = await fabric.deployment();
  const roles = (await fabric.programs.rest.api<{ items: RoleSummary[] }>('/roles')).items;
  const status = observed?.status;
  const port = status?.port == null ? '-' : `127.0.0.1:${status.port}`;
  const listed = await fabric.machine.podman(
    ...['ps', '--all', '--filter', `name=${CONTAINER}`, '--format', '{{.Names}}  {{.Status}}'],
  );
  return [
    'DEPLOYMENT   PHASE          CONTEXT   PORT               CONTAINER',
    [
      name.padEnd(12),
      (status?.phase ?? 'not seen').padEnd(14),
      String(contextTokens ?? '-').padEnd(9),
      port.padEnd(18),
      listed.trim() || '-',
    ].join(' '),
    ...(status?.detail == null ? [] : [`             ${status.detail}`]),
    '',
    'ROLE                 STATE         ANSWERED BY',
    ...roles.map((role) => `${role.name.padEnd(20)} ${role.state.padEnd(13)} ${role.servedBy ?? '-'}`),
  ];
}
