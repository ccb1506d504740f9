import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { fabricYaml } from '../harness/fabric-yaml.js';
import {
  PACKAGING_TIMEOUT_MS,
  type PackagedRelease,
  packagedRelease,
  packagedReleasePart,
} from '../harness/packaged-release.js';
import { describeReal } from '../harness/real-part.js';
import { debianRoot, providePristineRoot } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { dockerCompose } from './podman/compose-part.js';
import { PodmanMachine } from './podman/podman-machine.js';
import { podman } from './podman/podman-part.js';
import { runTool } from './podman/run-tool.js';

const FOLDER = fileURLToPath(new URL('../../installers/container/', import.meta.url));
const CONTAINERFILE = join(FOLDER, 'Containerfile');
const ARCHIVE = 'ai-fabric-control-plane-linux-x64.tar.gz';
const BASE = 'localhost/debian:12';
/** As podman-compose calls it, by the folder that the example lies in. */
const NAME = 'container_ai-fabric_1';
const PROGRAM = '/opt/ai-fabric/bin/ai-fabric';
/** Its network is the host's: ports that nobody else's tests use. */
const PORT = 18_451;
const TLS_PORT = 18_452;
const STEP_MS = 240_000;

interface NewToken {
  readonly certificateSha256: string;
  readonly install: { readonly linux: string | null } | null;
}

/** No image can be pulled here: in the place of Debian's stands a Debian that debootstrap made. */
describeReal(
  'the control plane in a container',
  [packagedReleasePart, podman, dockerCompose, debianRoot],
  () => {
    let release: PackagedRelease;
    let home: TemporaryDirectory;
    let machine: PodmanMachine;

    beforeAll(async () => {
      release = await packagedRelease();
      home = temporaryDirectory();
      machine = await PodmanMachine.start();
      const archive = join(home.path, 'base.tar');
      const without = ['./usr/share/doc', './usr/share/locale', './var/cache', './var/lib/apt', './boot'];
      const exclude = without.map((path) => `--exclude=${path}`);
      await runTool('tar', ['-C', await providePristineRoot(), ...exclude, '-cf', archive, '.']);
      await machine.podman('import', '--quiet', archive, BASE);
      layOutCheckout(home.path, release.folder);
    }, PACKAGING_TIMEOUT_MS);

    afterAll(async () => {
      await machine?.close();
      home?.remove();
    }, STEP_MS);

    const compose = (...args: readonly string[]): Promise<string> =>
      machine.compose(
        ['compose.yaml', 'override.yaml'].map((name) => join(home.path, 'installers', 'container', name)),
        ...args,
      );
    const exec = (...command: readonly string[]): Promise<string> => machine.podman('exec', NAME, ...command);
    const untilReady = (): Promise<void> =>
      eventually('it is ready', async () => (await ask('/readyz')).ok, 60_000).catch(
        async (cause: unknown) => {
          throw new Error(`it said: ${await machine.podman('logs', NAME)}`, { cause });
        },
      );
    const createToken = async (): Promise<NewToken> =>
      JSON.parse(await exec(PROGRAM, 'token', 'create', '--json')) as NewToken;
    let first: NewToken;

    it(
      'is built from the archive of a release',
      async () => {
        const build = ['build', '--quiet', '--network=none', '--build-arg', `BASE=${BASE}`];
        const context = join(home.path, '.data', 'release');
        await machine.podman(...build, '-f', CONTAINERFILE, '-t', 'ai-fabric', context);
        const told = await machine.podman('run', '--rm', '--network=none', 'ai-fabric', 'version', '--json');
        expect(JSON.parse(told)).toMatchObject({
          version: release.manifest.version,
          packaged: true,
          signed: true,
        });
      },
      STEP_MS,
    );

    it(
      'answers as its compose example runs it: nobody’s rights, and nothing written but its data',
      async () => {
        await compose('up', '--build', '--detach');
        await untilReady();
        expect((await ask('/healthz')).status).toBe(200);
        expect(await exec('id', '-u')).toBe('10001\n');
        expect(await exec('grep', 'CapBnd', '/proc/self/status')).toMatch(/^CapBnd:\s+0+$/m);
        await expect(exec('touch', '/opt/ai-fabric/anything')).rejects.toThrow('Read-only file system');
        await exec(...healthCheck());
      },
      STEP_MS,
    );

    it('prints lines that install agents, and serves what they fetch', async () => {
      first = await createToken();
      expect(first.install?.linux).toContain(`:${TLS_PORT}/install/agent.sh`);
      const served = (await (await ask('/install/manifest.json')).json()) as { readonly version: string };
      expect(served.version).toBe(release.manifest.version);
    });

    it(
      'stops when it is asked to, and the next container goes on with the data of its volume',
      async () => {
        await compose('stop');
        expect(await machine.podman('inspect', '--format={{.State.ExitCode}}', NAME)).toBe('0\n');
        await compose('down');
        await compose('up', '--detach');
        await untilReady();
        expect((await createToken()).certificateSha256).toBe(first.certificateSha256);
        type Tokens = readonly { readonly state: string }[];
        expect(JSON.parse(await exec(PROGRAM, 'token', '--json')) as Tokens).toHaveLength(2);
      },
      STEP_MS,
    );
  },
);

function ask(path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${PORT}${path}`, { signal: AbortSignal.timeout(5_000) });
}

/** The example where it lies in a checkout, with a release, and what stands in the place of what cannot be had here. */
function layOutCheckout(root: string, release: string): void {
  const folder = join(root, 'installers', 'container');
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(root, '.data', 'release'), { recursive: true });
  copyFileSync(join(release, ARCHIVE), join(root, '.data', 'release', ARCHIVE));
  for (const name of ['compose.yaml', 'Containerfile']) copyFileSync(join(FOLDER, name), join(folder, name));
  writeFileSync(join(folder, 'fabric.yaml'), fabricYaml({ hosts: { armitage: {} } }));
  const environment = {
    ...{ AI_FABRIC_PORT: `${PORT}`, AI_FABRIC_TLS_PORT: `${TLS_PORT}`, AI_FABRIC_HOST: '127.0.0.1' },
  };
  const service = { build: { args: { BASE } }, environment };
  writeFileSync(join(folder, 'override.yaml'), stringify({ services: { 'ai-fabric': service } }));
}

/** Images of OCI's format hold none: what the Containerfile says is run by hand. */
function healthCheck(): string[] {
  const [, command = '[]'] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(readFileSync(CONTAINERFILE, 'utf8')) ?? [];
  return JSON.parse(command) as string[];
}
