import type { SystemdMachine } from '../../harness/systemd-machine.js';

/** What comes and goes by itself while a machine runs, whatever is installed on it. */
const OWN_LIFE = ['/proc', '/sys', '/dev', '/run', '/tmp', '/var/tmp', '/var/log', '/srv/stand-in'];

/**
 * All files of a machine, one line each: path, kind, rights, owner, and what is in it. Two such lists tell what somebody left.
 */
export async function listMachineFiles(machine: SystemdMachine): Promise<ReadonlySet<string>> {
  const prune = OWN_LIFE.flatMap((path) => ['-path', path, '-o']).slice(0, -1);
  const find = ['find', '/', '(', ...prune, ')', '-prune', '-o'];
  const others = await machine.must([...find, '!', '-type', 'f', '-printf', '%p\\t%y\\t%m\\t%U:%G\\t%l\\n']);
  const rights = await machine.must([...find, '-type', 'f', '-printf', '%p\\t%y\\t%m\\t%U:%G\\n']);
  const contents = await machine.must([...find, '-type', 'f', '-exec', 'sha256sum', '{}', '+']);
  return new Set([...others.split('\n'), ...rights.split('\n'), ...contents.split('\n')].filter(Boolean));
}

/** Paths of lines that only one of the lists has. */
export function differingPaths(before: ReadonlySet<string>, after: ReadonlySet<string>): readonly string[] {
  const lines = [
    ...[...before].filter((line) => !after.has(line)),
    ...[...after].filter((line) => !before.has(line)),
  ];
  return [...new Set(lines.map(pathOf))].sort();
}

/**
 * What somebody left on a machine, but for what docs/install.md names under "What stays": copies that the tools of the
 * system make by themselves.
 */
export function leftBehind(before: ReadonlySet<string>, after: ReadonlySet<string>): readonly string[] {
  const documented =
    /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$|^\/etc$|^\/etc\/.pwd.lock$|^\/etc\/machine-id$/;
  return differingPaths(before, after).filter((path) => !documented.test(path));
}

function pathOf(line: string): string {
  return /^[0-9a-f]{64} [ *](.*)$/.exec(line)?.[1] ?? line.split('\t')[0] ?? line;
}
