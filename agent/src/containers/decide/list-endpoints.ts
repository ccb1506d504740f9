/** Where engines put their sockets and pipes, in the order in which they are tried. */
export function listEndpoints(host: {
  readonly platform: string;
  /** `XDG_RUNTIME_DIR`: of a rootless Podman or Docker. */
  readonly runtimeDirectory: string | null;
}): string[] {
  if (host.platform === 'win32')
    return ['\\\\.\\pipe\\docker_engine', '\\\\.\\pipe\\dockerDesktopLinuxEngine'];
  const own = host.runtimeDirectory?.replace(/\/+$/, '');
  return [
    '/var/run/docker.sock',
    '/run/podman/podman.sock',
    ...(own ? [`${own}/podman/podman.sock`, `${own}/docker.sock`] : []),
  ];
}
