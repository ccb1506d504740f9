import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readAgentConfig } from '@ai-fabric/agent';
import { readClientDefaults, readControlPlaneConfig } from '@ai-fabric/control-plane';
import { PROGRAMS, ProgramProcess } from './run-program.js';

const SCHEMA_FILE = fileURLToPath(new URL('../../docs/schema/fabric.schema.json', import.meta.url));

interface SchemaNode {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** What a variable means. Which there are, and what holds without them, the programs themselves say. */
const MEANINGS: Readonly<Record<string, string>> = {
  AI_FABRIC_CONFIG: 'The `fabric.yaml` that seeds an empty registry; later it is only compared.',
  AI_FABRIC_DATA: 'Data directory: registry, certificate, admin token.',
  AI_FABRIC_HOST: 'Addresses to listen on, apart by commas. One that is not there yet is waited for.',
  AI_FABRIC_PORT: 'Port of plain HTTP, for clients of `/v1`. 0: any that is free.',
  AI_FABRIC_TLS_PORT: 'Port of TLS, for agents, the control API and clients. 0: any that is free.',
  AI_FABRIC_LOG_LEVEL: 'Level of the log at the start; `ai-fabric log-level` changes it while it runs.',
  AI_FABRIC_RELEASE_DIR: 'The release that `/install/` gives to hosts (docs/install.md).',
  AI_FABRIC_MAX_BODY_BYTES: 'Largest JSON body that `/v1` takes, in bytes.',
  AI_FABRIC_MAX_MULTIPART_BYTES: 'Largest form (an audio file with what is asked of it), in bytes.',
  AI_FABRIC_BODY_TIMEOUT_SECONDS: 'A request whose body has not arrived whole by then is answered 408.',
  AI_FABRIC_MAX_CONNECTIONS:
    'Connections that each address and port holds at the same time (docs/requests.md#limits).',
  AI_FABRIC_CLOSE_GRACE_SECONDS:
    'How long requests and streams may go on once the control plane was told to stop; then they end with an error.',
  AI_FABRIC_WAKE_PORTS:
    'UDP ports that magic packets go to, apart by commas; what is sent matters, not where to (docs/waking.md).',
  AI_FABRIC_URL: 'A control plane elsewhere, as `https://motoko:8443`.',
  AI_FABRIC_CERTIFICATE_SHA256: 'Its certificate, as `ai-fabric up` prints it.',
  AI_FABRIC_ADMIN_TOKEN_FILE: 'File with its admin token.',
  AI_FABRIC_AGENT_POLICY: 'What the control plane may do with this host (docs/agent-policy.md).',
  AI_FABRIC_AGENT_STATE: 'Where the key and what was joined are kept.',
  AI_FABRIC_AGENT_NAME: 'What this host is to be called when it joins.',
  AI_FABRIC_AGENT_SERVER: 'Another way to the same control plane; its pinned certificate stays.',
  AI_FABRIC_AGENT_NVIDIA_SMI:
    'Absolute path of `nvidia-smi`, where it is in none of the usual places; the file must have that name.',
  AI_FABRIC_AGENT_CONTAINER_ENGINE:
    'Socket (`unix:///run/docker.sock`) or pipe (`npipe:////./pipe/docker_engine`) of Docker or Podman.',
  AI_FABRIC_AGENT_HELPER:
    'Set by the service of an install: `systemd` has what only root may done by another unit (docs/install-linux.md), `nssm` upgrades itself (docs/install-windows.md).',
  AI_FABRIC_AGENT_SIMULATED_INTERFACES:
    'For simulated machines, of which one computer runs several: a file of JSON with the interfaces to report.',
  AI_FABRIC_AGENT_GPU_CADENCE_MS: 'How often cards are read, in milliseconds.',
  AI_FABRIC_AGENT_HOST_CADENCE_MS: 'How often processor, memory, disk and network are read, in milliseconds.',
  AI_FABRIC_AGENT_ENGINE_CADENCE_MS:
    'How often engines are read while they have requests, in milliseconds; idle ones are read with the host.',
  AI_FABRIC_AGENT_BUFFER_BYTES: 'How much telemetry is kept while the link is down, in bytes.',
  AI_FABRIC_AGENT_POWER_SHIM:
    'For tests: a file that takes, as lines of JSON, what would be done to the machine’s power; nothing is done then.',
  AI_FABRIC_AGENT_LOG_LEVEL: 'Level of the log.',
};

/** Where the default hangs on the machine, in words. */
const MACHINE_DEFAULTS: Readonly<Record<string, string>> = {
  AI_FABRIC_DATA:
    'root on Linux: `/var/lib/ai-fabric`; else `$XDG_DATA_HOME/ai-fabric`; Windows: `%ProgramData%\\ai-fabric`',
  AI_FABRIC_RELEASE_DIR: '`release` beside the packaged program; in a checkout `.data/release`',
  AI_FABRIC_AGENT_STATE:
    'root on Linux: `/var/lib/ai-fabric-agent`; else in `$XDG_STATE_HOME`; Windows: in `%ProgramData%`',
  AI_FABRIC_AGENT_NAME: "the machine's own name",
  AI_FABRIC_AGENT_POLICY: '`agent.yaml` beside the state',
  AI_FABRIC_AGENT_CONTAINER_ENGINE: 'the first that answers of those where engines put theirs',
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The text of docs/CONFIGURATION.md. @throws Error naming a variable that has no meaning here */
export async function configurationReference(): Promise<string> {
  const schema = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as SchemaNode;
  return [
    '# Configuration reference',
    'Made by a test from the programs and the schema; do not edit it. What is declared stands in `fabric.yaml`, what belongs to one ' +
      'machine in flags and variables. A flag wins over its variable, a variable over the default; an empty variable is none.',
    '## `fabric.yaml`',
    'Editors check it with [`fabric.schema.json`](schema/fabric.schema.json). `NAME` stands for a name of yours, `[]` for each of a list.',
    table(['key', 'what it may be', 'default', 'meaning'], fabricRows('', schema)),
    '## The control plane',
    variables((environment) => readControlPlaneConfig({}, environment)),
    await help(PROGRAMS.controlPlane, 'ai-fabric', 'up'),
    '## Operator commands',
    'On the machine of the control plane they need none of these.',
    variables((environment) => readClientDefaults(environment)),
    '## The agent',
    variables((environment) => readAgentConfig({}, environment)),
    await help(PROGRAMS.agent, 'ai-fabric-agent', 'join'),
    await help(PROGRAMS.agent, 'ai-fabric-agent', 'run'),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

function fabricRows(path: string, node: SchemaNode): string[][] {
  const rows: string[][] = [];
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const here = path === '' ? key : `${path}.${key}`;
    const fallback =
      child.default === undefined
        ? node.required?.includes(key)
          ? '(required)'
          : ''
        : `\`${JSON.stringify(child.default)}\``;
    rows.push([`\`${here}\``, kindOf(child), fallback, child.description ?? describeInner(child)]);
    rows.push(...innerRows(here, child));
  }
  return rows;
}

function innerRows(path: string, node: SchemaNode): string[][] {
  const rows = node.properties ? fabricRows(path, node) : [];
  if (typeof node.additionalProperties === 'object')
    rows.push(...innerRows(`${path}.NAME`, node.additionalProperties));
  if (node.items) rows.push(...innerRows(`${path}[]`, node.items));
  const forms = node.anyOf?.filter(({ properties }) => properties !== undefined) ?? [];
  for (const each of node.anyOf ?? []) {
    for (const [key = '', kind = '', fallback = '', meaning = ''] of innerRows(path, each)) {
      // Of several forms one is written, with all that it requires.
      const isOfOneForm = forms.length > 1 && fallback === '(required)';
      rows.push([key, kind, isOfOneForm ? '(in its form)' : fallback, meaning]);
    }
  }
  return unique(rows);
}

function describeInner(node: SchemaNode): string {
  return node.anyOf?.find(({ description }) => description !== undefined)?.description ?? '';
}

function kindOf(node: SchemaNode): string {
  if (node.anyOf)
    return unique(node.anyOf.map((each) => [kindOf(each)]))
      .flat()
      .join(' or ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum) return node.enum.map((each) => `\`${String(each)}\``).join(', ');
  if (node.type === 'array') return `list of ${node.items ? kindOf(node.items) : 'values'}`;
  if (node.type === 'object') return node.properties ? 'section' : 'names';
  if (node.type !== 'integer' && node.type !== 'number') return node.type ?? '';
  const least =
    node.minimum ?? (node.exclusiveMinimum === undefined ? undefined : `above ${node.exclusiveMinimum}`);
  return [
    node.type === 'integer' ? 'whole number' : 'number',
    least,
    node.maximum === undefined ? undefined : `to ${node.maximum}`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** Asks the program's own reader which variables it looks at, and what it takes where none is set. */
function variables(read: (environment: Environment) => object): string {
  const asked: string[] = [];
  const nothing = new Proxy<Environment>(
    {},
    {
      get: (_target, name) => {
        if (typeof name === 'string' && name.startsWith('AI_FABRIC_')) asked.push(name);
        return undefined;
      },
    },
  );
  const defaults = new Map(Object.entries(read(nothing)));
  const rows = [...new Set(asked)].map((name) => {
    const meaning = MEANINGS[name];
    if (meaning === undefined)
      throw new Error(`${name} is read, and the reference does not say what it means`);
    return [`\`${name}\``, MACHINE_DEFAULTS[name] ?? shown(defaults.get(settingOf(name))), meaning];
  });
  return table(['variable', 'default', 'meaning'], rows);
}

/** `AI_FABRIC_AGENT_GPU_CADENCE_MS` is `gpuCadenceMs` in the configuration. */
function settingOf(variable: string): string {
  const words = variable.replace(/^AI_FABRIC_(AGENT_)?/, '').toLowerCase();
  const name = words.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return name === 'host' ? 'listenHosts' : name;
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '';
  return Array.isArray(value)
    ? value.map((each) => `\`${String(each)}\``).join(', ')
    : `\`${String(value)}\``;
}

async function help(file: string, program: string, command: string): Promise<string> {
  const child = new ProgramProcess(file, [command, '--help']);
  const { stdout } = await child.ended();
  const options = stdout.slice(stdout.indexOf('Options:')).split('\n\n')[0] ?? '';
  return `\`\`\`\n${program} ${command}\n\n${options.trimEnd()}\n\`\`\``;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function unique(rows: readonly string[][]): string[][] {
  return [...new Map(rows.map((row) => [row[0], row])).values()];
}
