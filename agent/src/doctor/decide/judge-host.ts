import { JOIN_LINE, ownCommand, startCommand } from '../../own-command.js';
import type { AgentFacts, HostCheck, HostCheckState, HostFacts } from '../host-checks.js';
import { clockWords } from './clock-words.js';
import { describeEnding } from './describe-ending.js';
import { fixOfLink } from './fix-of-link.js';

type Judgement = Omit<HostCheck, 'id'>;

const CDI_FIX = 'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml';
/** An agent links within a second or so; for so long nobody worries. */
const LINKS_WITHIN_MS = 15_000;
const CARD_CODES: ReadonlySet<string> = new Set([
  'no_gpu',
  'driver_not_loaded',
  'driver_mismatch',
  'driver_hung',
  'driver_too_old',
  'gpu_lost',
  'gpu_lost_after_resume',
  'gpu_tool_failed',
]);

/** Everything that has to be right on a host, each judged, with the command that mends it. */
export function judgeHost(facts: HostFacts): readonly HostCheck[] {
  return [
    { id: 'linked', ...judgeLink(facts) },
    { id: 'driver_and_cards', ...judgeCards(facts) },
    { id: 'container_engine', ...judgeEngine(facts) },
    { id: 'cdi', ...judgeCdi(facts) },
    { id: 'gpu_in_container', ...judgeGpuInContainer(facts) },
    { id: 'wake_arming', ...judgeWake(facts) },
    ...(facts.windows === null
      ? []
      : [{ id: 'fast_startup' as const, ...judgeFastStartup(facts.windows.fastStartup) }]),
    { id: 'sign_in_at_boot', ...judgeSignIn(facts) },
  ];
}

function judgeLink({ agent, service, platform, nowMs }: HostFacts): Judgement {
  switch (agent.kind) {
    case 'runs':
      return judgeRunningLink(agent, { nowMs, platform, isService: service !== null });
    case 'silent':
      return /permission denied|EPERM|EACCES/i.test(agent.problem)
        ? red(agent.problem, ownCommand('doctor', platform))
        : red(agent.problem, restartOf(platform));
    case 'damaged':
      return red(agent.problem, agent.fix);
    case 'not_joined':
      return red('This host has not joined a control plane.', `Run ${JOIN_LINE}.`);
    case 'stopped':
      return judgeStopped(agent, service, platform);
    default:
      return agent satisfies never;
  }
}

function judgeStopped(
  { server, hostName }: Extract<AgentFacts, { kind: 'stopped' }>,
  service: HostFacts['service'],
  platform: NodeJS.Platform,
): Judgement {
  if (service !== null && service.ending !== null) {
    const { says, fix } = describeEnding(service.ending, platform);
    return red(says, fix);
  }
  return red(
    `No agent runs here; this host has joined ${server} as ${hostName}.`,
    service === null ? 'ai-fabric-agent run' : startCommand(platform),
  );
}

interface LinkView {
  readonly nowMs: number;
  readonly platform: NodeJS.Platform;
  readonly isService: boolean;
}

function judgeRunningLink(
  agent: Extract<AgentFacts, { kind: 'runs' }>,
  { nowMs, platform, isService }: LinkView,
): Judgement {
  const { link, server, hostName, startedAtMs } = agent;
  if (link.state === 'linked') {
    const clock = clockWords(link.clockAheadMs);
    return green(`to ${server} as ${hostName}${clock === '' ? '' : `; ${clock}`}`);
  }
  if (link.problem === null) {
    const isNew = nowMs - startedAtMs < LINKS_WITHIN_MS;
    return isNew
      ? waiting(`the agent dials ${server}`, null)
      : red(`There is no link to ${server}.`, reach(server));
  }
  return red(link.problem, fixOfLink(link.problemCode, isService, platform) ?? reach(server));
}

function judgeCards({ cards, areCardsRead, issues, platform }: HostFacts): Judgement {
  const trouble = issues.find(({ code }) => CARD_CODES.has(code));
  if (trouble !== undefined) return red(trouble.detail, trouble.fix ?? driverOf(platform));
  if (cards.length > 0) return green(cards.map(({ name }) => name).join(', '));
  return areCardsRead
    ? red('No NVIDIA card was found.', driverOf(platform))
    : waiting('the cards are being read', null);
}

function judgeEngine({ containerEngine, engineFix, platform }: HostFacts): Judgement {
  if (containerEngine === null) return waiting('it is being looked for', null);
  if (!containerEngine.reachable) {
    return red(containerEngine.detail, engineFix ?? engineFixOf(containerEngine, platform));
  }
  const { flavour, version, rootless, desktop } = containerEngine;
  const kind = desktop ? ', Desktop' : rootless ? ', rootless' : '';
  return green(`${flavour === 'podman' ? 'Podman' : 'Docker'} ${version}${kind}`);
}

function engineFixOf(
  { code, detail }: { readonly code: string; readonly detail: string },
  platform: NodeJS.Platform,
): string {
  if (code === 'sign_in_needed')
    return platform === 'win32'
      ? `Sign in to Windows; to have Docker Desktop start whenever you do: ${logonTask(platform)}`
      : lingerOf(detail);
  if (code === 'engine_too_old') return 'Upgrade it: Docker 19.03 or Podman 4.0 is the oldest that is used.';
  // Who has an engine that is not root's would not be helped by becoming as good as root.
  const uid = ownerOf(detail);
  if (uid !== null)
    return detail.includes('does not answer')
      ? `sudo systemctl --user --machine=${uid}@.host restart podman.service`
      : openSocketOf(uid);
  return platform === 'linux'
    ? `sudo apt-get install podman && ${ownCommand('install --podman-socket group', platform)}`
    : 'Install Docker Desktop, and start it.';
}

/** Of the user's own Podman that alone was looked for; `null`: of another engine, or of several. */
function ownerOf(detail: string): string | null {
  return /(?:at|on) \/run\/user\/(\d+)\/podman\//.exec(detail)?.[1] ?? null;
}

function openSocketOf(uid: string): string {
  return `sudo systemctl --user --machine=${uid}@.host enable --now podman.socket`;
}

/** A user's own engine is there only while that user is signed in, or lingers. */
function lingerOf(detail: string): string {
  const uid = ownerOf(detail);
  return uid === null
    ? 'sudo loginctl enable-linger USER, then as that user: systemctl --user enable --now podman.socket'
    : `sudo loginctl enable-linger ${uid} && ${openSocketOf(uid)}`;
}

function judgeCdi({ containerEngine, cards, cdi }: HostFacts): Judgement {
  if (containerEngine === null) return waiting('it depends on the container engine', null);
  if (!containerEngine.reachable) return notApplicable('there is no container engine');
  if (containerEngine.flavour !== 'podman') return notApplicable('Docker asks NVIDIA’s runtime for cards');
  if (cards.length === 0) return notApplicable('there is no card');
  switch (cdi) {
    case 'known_device':
      return green('a spec names the cards');
    case 'no_spec':
      return red(
        'No CDI spec is in /etc/cdi or /var/run/cdi: Podman can give no card to a container.',
        CDI_FIX,
      );
    case 'unknown_device':
      return red('The CDI spec does not name the cards that are here.', CDI_FIX);
    default:
      return cdi satisfies never;
  }
}

function judgeGpuInContainer({
  containerEngine,
  cards,
  issues,
  replicas,
  areCardsRead,
  platform,
}: HostFacts): Judgement {
  const trouble = issues.find(({ code }) => code === 'gpu_not_in_container');
  if (trouble !== undefined) {
    return red(trouble.detail, trouble.fix ?? cardsForContainers(containerEngine, platform));
  }
  const proven = replicas.find(({ phase, container }) => phase === 'ready' && container !== null);
  if (proven !== undefined) return green(`${proven.deployment} sees its card`);
  if (cards.length === 0) {
    return areCardsRead ? notApplicable('there is no card') : waiting('the cards are being read', null);
  }
  if (containerEngine?.reachable === false) return notApplicable('there is no container engine');
  return waiting(
    'it is proven with the first replica',
    'ai-fabric deployments create NAME --host HOST --preset chat-fast --wait (on the control plane)',
  );
}

function judgeWake({ wake, platform }: HostFacts): Judgement {
  if (wake === null) return waiting('the cards of the network are being read', null);
  const wired = wake.filter((each) => each.wired);
  if (wired.length === 0) return notApplicable('no card of a network by cable');
  const armed = wired.filter(({ arming }) => arming.armed === true);
  if (armed.length > 0)
    return green(`${armed.map(({ name }) => name).join(', ')}: a magic packet wakes this machine`);
  const off = wired.find(({ arming }) => arming.armed === false);
  if (off !== undefined)
    return red(
      `${off.name} does not wake this machine (${off.arming.detail ?? 'off'}).`,
      armOf(off.name, platform),
    );
  const [first] = wired;
  return red(
    `Whether ${first?.name} wakes this machine cannot be told: ${first?.arming.detail ?? 'nothing says'}.`,
    askCard(first, platform),
  );
}

function judgeFastStartup(fastStartup: boolean | null): Judgement {
  if (fastStartup === null) return notApplicable('this Windows does not have it');
  if (!fastStartup) return green('off: a machine that is shut down can be woken');
  return red(
    'It is on: a machine that its user shuts down does not wake by a magic packet.',
    'reg add "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Power" /v HiberbootEnabled /t REG_DWORD /d 0 /f',
  );
}

function judgeSignIn({ service, platform, containerEngine, windows }: HostFacts): Judgement {
  if (service === null) {
    return red(
      'The agent is no service: after a boot somebody has to start it.',
      `Run ${JOIN_LINE}: it installs one.`,
    );
  }
  if (!service.isEnabled) return red('The agent does not start with the machine.', enableOf(platform));
  if (platform === 'win32' && containerEngine === null)
    return waiting('it depends on the container engine', null);
  const hasLogonTask = windows?.hasLogonTask ?? false;
  const away =
    containerEngine?.reachable === false && containerEngine.code === 'sign_in_needed'
      ? containerEngine
      : null;
  const isDesktop = containerEngine?.reachable === true && containerEngine.desktop;
  if (away === null && !isDesktop) return green('nobody has to sign in: it starts with the machine');
  if (platform !== 'win32') {
    return isDesktop
      ? red(
          'After a boot somebody has to sign in, and to start Docker Desktop.',
          'Use Podman, or Docker without Desktop: both start with the machine.',
        )
      : red(
          'After a boot somebody has to sign in: the container engine is a user’s own.',
          lingerOf(away?.detail ?? ''),
        );
  }
  return hasLogonTask
    ? red(
        'After a boot somebody has to sign in: Docker Desktop then starts by itself.',
        'Let this machine suspend rather than shut down: a session survives that.',
      )
    : red('After a boot somebody has to sign in, and to start Docker Desktop.', logonTask(platform));
}

function logonTask(platform: NodeJS.Platform): string {
  return ownCommand('install --docker-logon-task', platform);
}

function cardsForContainers(engine: HostFacts['containerEngine'], platform: NodeJS.Platform): string {
  if (platform === 'win32') return 'Update NVIDIA’s driver and Docker Desktop, then restart Docker Desktop.';
  return engine?.reachable === true && engine.flavour === 'podman'
    ? CDI_FIX
    : 'sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker (nvidia-ctk is of nvidia-container-toolkit)';
}

function askCard(
  card: NonNullable<HostFacts['wake']>[number] | undefined,
  platform: NodeJS.Platform,
): string {
  if (platform === 'win32')
    return `Get-NetAdapterPowerManagement -Name "${card?.name ?? '*'}": WakeOnMagicPacket has to be Enabled; "Unsupported": this card wakes nothing`;
  const isMissing = card?.arming.detail?.includes('not there') ?? true;
  return isMissing
    ? 'sudo apt-get install ethtool'
    : `sudo ethtool ${card?.name}: without a line "Wake-on" this card wakes nothing`;
}

function armOf(name: string, platform: NodeJS.Platform): string {
  return platform === 'linux'
    ? `sudo ethtool -s ${name} wol g (until the next boot; for good, WakeOnLan=magic in a .link file of systemd, or by NetworkManager)`
    : `Enable-NetAdapterPowerManagement -Name "${name}" -WakeOnMagicPacket`;
}

function driverOf(platform: NodeJS.Platform): string {
  return platform === 'linux'
    ? 'sudo apt-get install nvidia-driver, then restart'
    : 'Install NVIDIA’s driver.';
}

function restartOf(platform: NodeJS.Platform): string {
  return platform === 'linux' ? 'sudo systemctl restart ai-fabric-agent' : 'Restart-Service ai-fabric-agent';
}

function enableOf(platform: NodeJS.Platform): string {
  return platform === 'linux'
    ? 'sudo systemctl enable --now ai-fabric-agent'
    : 'Set-Service ai-fabric-agent -StartupType Automatic';
}

function reach(server: string): string {
  return `Is it running, and in reach from here? curl -k ${server}/healthz`;
}

const green = (says: string): Judgement => judged('green', says, null);
const red = (says: string, fix: string): Judgement => judged('red', says, fix);
const waiting = (says: string, fix: string | null): Judgement => judged('waiting', says, fix);
const notApplicable = (says: string): Judgement => judged('not_applicable', says, null);

function judged(state: HostCheckState, says: string, fix: string | null): Judgement {
  return { state, says, fix };
}
