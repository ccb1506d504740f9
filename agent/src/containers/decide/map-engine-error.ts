import type { ContainerEngineErrorCode } from '../container-engine-error.js';

/** What was asked of the engine: the same words mean another thing in another call. */
export type EngineDoing = 'pull' | 'create' | 'start' | 'image' | 'volume' | 'other';

export interface EngineSaid {
  readonly doing: EngineDoing;
  /** Of the answer, or of the stream that the error came in. */
  readonly status: number;
  readonly message: string;
  /** Whether credentials were sent along with a pull. */
  readonly authenticated?: boolean;
}

interface Rule {
  readonly code: ContainerEngineErrorCode;
  readonly says: RegExp;
  readonly doing?: readonly EngineDoing[];
}

const MAX_DETAIL_LENGTH = 600;

/** The first that fits holds. Words of Docker 20 to 29, Podman 4 and 5, their registries and NVIDIA's runtime. */
const RULES: readonly Rule[] = [
  {
    code: 'disk_full',
    says: /no space left on device|not enough (?:free )?space|disk quota exceeded|disk is full/i,
  },
  { code: 'driver_mismatch', says: /driver\/library version mismatch/i },
  {
    code: 'driver_too_old',
    says: /unsatisfied condition: (?:cuda|driver|brand)|driver (?:version )?(?:is )?(?:too old|insufficient)/i,
  },
  { code: 'cdi_spec_stale', says: /CDI host device|failed to inject devices/i },
  // Whether there is no spec or one that does not know this card only a look at the specs tells.
  { code: 'cdi_spec_missing', says: /unresolvable CDI device/i },
  // Volumes are the only mounts of ours, and those are made before: a file that is gone comes from a CDI spec.
  { code: 'cdi_spec_stale', says: /error mounting "[^"]*" to rootfs.*no such file/is, doing: ['start'] },
  {
    code: 'gpu_unavailable',
    says: /could not select device driver|nvidia-container-cli|nvidia-container-runtime|unknown (?:or invalid )?device.*GPU-|NVML|libnvidia-ml/i,
  },
  {
    code: 'port_in_use',
    says: /port is already allocated|address already in use|ports? (?:are|is) not available|only one usage of each socket address|forbidden by its access permissions/i,
  },
  {
    code: 'name_taken',
    says: /container name "[^"]*" is already in use|that name is already in use|name is already (?:in use|taken)/i,
  },
  { code: 'image_not_found', says: /no such image|image not known|failed to find image/i },
  {
    code: 'image_not_found',
    says: /manifest (?:for \S+ )?(?:unknown|not found)|manifest unknown|name unknown|no matching manifest|no image found in (?:manifest list|image index)/i,
    doing: ['pull'],
  },
  {
    code: 'unauthorized',
    says: /unauthori[sz]ed|authentication required|access (?:to the resource )?is denied|pull access denied|\bdenied:|403 Forbidden|incorrect username or password|invalid username\/password/i,
    doing: ['pull'],
  },
  {
    code: 'registry_unreachable',
    says: /dial tcp|no such host|connection refused|network is unreachable|i\/o timeout|TLS handshake|x509:|certificate|Client\.Timeout|request canceled while waiting|server gave HTTP response to HTTPS client|502 Bad Gateway|503 Service Unavailable|pinging container registry|temporary failure in name resolution/i,
    doing: ['pull'],
  },
];

const BY_STATUS: Readonly<Record<number, ContainerEngineErrorCode>> = {
  400: 'bad_request',
  404: 'not_found',
  409: 'conflict',
};

/** What an engine's complaint means. */
export function mapEngineError(said: EngineSaid): { code: ContainerEngineErrorCode; detail: string } {
  const detail = shorten(said.message) || `The container engine answers with status ${said.status}.`;
  return { code: codeOf(said), detail };
}

function codeOf({ doing, status, message, authenticated }: EngineSaid): ContainerEngineErrorCode {
  // Docker's hub says this of a name that does not exist: without credentials a slip of the pen is likelier.
  if (doing === 'pull' && !authenticated && /repository does not exist or may require/i.test(message)) {
    return 'image_not_found';
  }
  const rule = RULES.find(
    ({ says, doing: when }) => (when === undefined || when.includes(doing)) && says.test(message),
  );
  if (rule) return rule.code;
  if (doing === 'pull') return status === 400 ? 'bad_request' : 'pull_failed';
  if (status === 404 && (doing === 'create' || doing === 'image')) return 'image_not_found';
  // Podman's own word for what Docker calls a conflict.
  if (/container state improper|is being used|in use by|cannot (?:pause|unpause|remove)/i.test(message))
    return 'conflict';
  return BY_STATUS[status] ?? 'engine_failed';
}

/** One line, with an end; credentials in addresses are taken out. */
function shorten(message: string): string {
  const line = message
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/(https?:\/\/)[^/@\s]+@/gi, '$1')
    .replace(/((?:access_token|token|sig|signature|X-Amz-[A-Za-z-]+)=)[^&\s"]+/gi, '$1…');
  return line.length <= MAX_DETAIL_LENGTH ? line : `${line.slice(0, MAX_DETAIL_LENGTH - 1)}…`;
}

/** The message in an engine's answer, which is JSON where all is well. */
export function readComplaint(body: string): string {
  try {
    const said: unknown = JSON.parse(body);
    if (typeof said === 'object' && said !== null && 'message' in said && typeof said.message === 'string') {
      return said.message;
    }
  } catch {
    // Whatever it is, it is the best that there is.
  }
  return body;
}
