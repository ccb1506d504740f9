export interface ListeningSocket {
  readonly port: number;
  /** By which the processes that have it are found. */
  readonly inode: string;
}

const LISTENS = '0A';

/** Sockets that listen, of /proc/net/tcp or tcp6. Lines of another form are passed over. */
export function readSockets(text: string): ListeningSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const [, port] = /^[0-9A-F]+:([0-9A-F]{4})$/.exec(local) ?? [];
    if (port === undefined || state !== LISTENS || inode === undefined) return [];
    return [{ port: Number.parseInt(port, 16), inode }];
  });
}

/** Managers of containers and sessions: to stop one of these would stop what nobody asked about. */
const NOT_ITS_OWN =
  /^(docker|containerd|podman|crio|user@\d+|session-.*|init|dbus|ssh|sshd|cron|crond)(@.*)?\.(service|scope)$/;

/** The systemd service that a process belongs to alone, of its /proc/PID/cgroup; `null`: none. */
export function readUnit(cgroup: string): string | null {
  for (const line of cgroup.split('\n')) {
    const path = line.split(':').slice(2).join(':');
    if (path.includes('/user.slice/')) continue;
    // The innermost: a machine in a container is itself in a service of its host.
    const unit = path.split('/').findLast((part) => part.endsWith('.service'));
    if (unit !== undefined) return NOT_ITS_OWN.test(unit) ? null : unit;
  }
  return null;
}
