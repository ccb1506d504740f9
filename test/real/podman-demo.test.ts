import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeReal } from '../harness/real-part.js';
import { PROGRAMS, ProgramProcess } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { podman } from './podman/podman-part.js';

interface Told {
  readonly kind: string;
  readonly number?: number;
  readonly held?: boolean;
}

/** Its other steps are those of the journey of a managed replica on real Podman. */
describeReal('the demo on real Podman', [podman], () => {
  let home: TemporaryDirectory;
  let demo: ProgramProcess | null = null;

  beforeAll(() => {
    home = temporaryDirectory();
  });
  afterAll(async () => {
    await demo?.kill('SIGTERM');
    home?.remove();
  });

  const told = (): Told[] =>
    (demo?.stdout ?? '')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Told);

  it('shows a container from its declaration to its tokens, and ended in the middle it leaves nothing', async () => {
    const before = outside();
    const environment = { TMPDIR: home.path };
    demo = new ProgramProcess(PROGRAMS.controlPlane, ['demo', '--podman', '--once', '--json'], {
      environment,
    });
    const thirdStep = (): boolean => demo?.running === false || told().some(({ number }) => number === 3);
    await eventually('its third step', thirdStep, 100_000);
    const steps = told().filter(({ kind }) => kind === 'step');
    expect(steps, demo.stdout + demo.stderr).toMatchObject([{ held: true }, { held: true }, { held: true }]);

    demo.child.kill('SIGINT');

    expect(await demo.ended(), demo.stdout).toMatchObject({ exitCode: 0, stderr: '' });
    expect(told().at(-1)).toEqual({ kind: 'ending' });
    expect(readdirSync(home.path)).toEqual([]);
    expect(outside()).toEqual(before);
    expect(programsOf(home.path)).toEqual([]);
  });
});

/** What it needs of this machine outside of its folder: a CDI spec, a folder, a bridge, addresses. */
function outside(): string[] {
  const places = ['/etc/cdi', '/run', '/sys/class/net', '/var/lib/cni/networks'];
  return places.flatMap((place) => list(place).filter((name) => /^(ai-fabric-|aif-)/.test(name)));
}

function programsOf(folder: string): string[] {
  const commands = list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/cmdline`));
  return commands.filter((command) => command.includes(folder));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile.
    return '';
  }
}
