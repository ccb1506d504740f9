import { clipText } from '../../../sensors/decide/describe-issue.js';
import type { ContainerIssueCode } from './container-trouble.js';

/** What an ended or stuck engine's last words mean. */
export interface LogFinding {
  readonly code: ContainerIssueCode;
  /** The line that told it, clipped. */
  readonly line: string;
  /** What mends this very cause, where it is another than the code's usual one. */
  readonly fix: string | null;
  /** The card's memory was short: a smaller setting may do. */
  readonly outOfMemory: boolean;
}

interface Rule {
  readonly code: ContainerIssueCode;
  readonly pattern: RegExp;
  readonly fix?: string;
  readonly outOfMemory?: true;
}

const LINE_LIMIT = 4_000;
const LINES_LIMIT = 400;
const SAID_LIMIT = 240;

/**
 * In order of weight: the first rule that any line matches wins, since a Python traceback ends in lines that follow
 * from the first cause. Texts as vLLM, PyTorch, huggingface_hub and the NVIDIA container toolkit print them.
 */
const RULES: readonly Rule[] = [
  { code: 'disk_full', pattern: /no space left on device|\berrno 28\b|not enough free disk space/i },
  {
    code: 'driver_mismatch',
    pattern: /driver\/library version mismatch|unsupported display driver \/ cuda driver combination/i,
  },
  {
    code: 'driver_too_old',
    pattern:
      /nvidia driver on your system is too old|cuda driver version is insufficient|unsatisfied condition: cuda|please update your driver|forward compatibility was attempted on non supported hw|ptx was compiled with an unsupported toolchain/i,
  },
  {
    code: 'cdi_spec_missing',
    pattern: /unresolvable cdi devices?|cdi (?:device|registry|spec).*(?:not found|no such)/i,
  },
  {
    code: 'cdi_spec_stale',
    pattern:
      /failed to stat cdi host device|(?:cannot stat|error mounting|mount).*lib(?:cuda|nvidia)[\w.-]*\.so[\d.]*.*no such file/i,
  },
  {
    code: 'gpu_not_in_container',
    pattern:
      /no cuda gpus are available|found no nvidia driver|failed to infer device type|libcuda\.so\.1: cannot open|failed to initialize nvml|nvml shared library not found|could not select device driver|cuda unknown error|no cuda-capable device is detected/i,
  },
  {
    code: 'vram_insufficient',
    outOfMemory: true,
    pattern:
      /cuda out of memory|cuda error: out of memory|outofmemoryerror|cudaerrormemoryallocation|cublas_status_alloc_failed|free memory on device .* is less than desired|no available memory for the cache blocks|kv cache is needed, which is larger than|larger than the maximum number of tokens that can be stored in kv cache|hip out of memory/i,
  },
  {
    code: 'hf_token_needed',
    pattern:
      /gatedrepoerror|cannot access gated repo|access to model .* is restricted|trying to access a gated repo|localtokennotfounderror|invalid user token|invalid credentials in authorization header/i,
  },
  {
    code: 'model_not_found',
    pattern:
      /repositorynotfounderror|repository not found for url|revisionnotfounderror|revision not found for url|is not a valid (?:git|model) identifier|does not appear to have a file named config\.json|entrynotfounderror.*config\.json/i,
  },
  {
    code: 'hub_unreachable',
    pattern:
      /localentrynotfounderror|offlinemodeisenabled|couldn'?t connect to ['"]?https:\/\/(?:huggingface\.co|hf\.co)|(?:max retries exceeded|connectionpool|nameresolutionerror|failed to resolve|connecttimeout|readtimeout).*(?:huggingface\.co|hf\.co)|(?:huggingface\.co|hf\.co).*(?:max retries exceeded|nameresolutionerror|failed to resolve|timed out)/i,
  },
  {
    code: 'port_in_use',
    pattern: /address already in use|port is already allocated|ports are not available/i,
  },
  {
    code: 'engine_crashed',
    pattern: /bfloat16 is only supported on gpus with compute capability/i,
    fix: 'Add --dtype=half to the extra arguments of the deployment: this card has no bfloat16.',
  },
  {
    code: 'engine_crashed',
    pattern: /trust_remote_code/i,
    fix: "The model wants its own code run. Choose another model, or allow --trust-remote-code in this host's agent.yaml.",
  },
  {
    code: 'engine_crashed',
    pattern: /error: unrecognized arguments|error: argument --|error: ambiguous option/i,
    fix: 'Correct the extra arguments of the deployment: this version of vLLM does not take them.',
  },
  {
    code: 'engine_crashed',
    pattern:
      /no kernel image is available for execution|compute capability .* (?:not supported|unsupported|too low)/i,
    fix: 'This card is too old for the image or for the quantisation of the model: choose another of either.',
  },
  {
    code: 'engine_crashed',
    pattern:
      /model architectures .* (?:are|is) not supported|no supported config format|unknown quantization method/i,
    fix: 'This version of vLLM does not know the model: choose a newer image, or another model.',
  },
  {
    code: 'engine_crashed',
    pattern: /user-specified max_model_len .* is greater than the derived/i,
    fix: 'Lower contextTokens of the deployment to what the model can.',
  },
];

/** What was wrong, from the last lines of an engine's log (oldest first); `null` when they tell nothing known. */
export function readEngineLog(lines: readonly string[]): LogFinding | null {
  const last = lines.slice(-LINES_LIMIT).map((line) => line.slice(0, LINE_LIMIT));
  for (const { code, pattern, fix, outOfMemory } of RULES) {
    const line = last.findLast((text) => pattern.test(text));
    if (line !== undefined) {
      return { code, line: clipText(line, SAID_LIMIT), fix: fix ?? null, outOfMemory: outOfMemory ?? false };
    }
  }
  return null;
}

const EXIT_WORDS: Readonly<Record<number, string>> = {
  0: 'It ended by itself, without an error.',
  125: 'The container engine could not run it.',
  126: 'The program in the image cannot be run.',
  127: 'The program is not in the image.',
  137: 'It was killed (SIGKILL).',
  139: 'It crashed (segmentation fault).',
  143: 'It was told to end (SIGTERM).',
};

/** Why a container ended, from its exit and its last lines. @param lines oldest first */
export function readContainerEnd(
  exit: { readonly exitCode: number | null; readonly oomKilled: boolean },
  lines: readonly string[],
): LogFinding {
  const found = readEngineLog(lines);
  if (found !== null) return found;
  if (exit.oomKilled) {
    return {
      code: 'engine_crashed',
      line: 'The kernel killed it: it wanted more main memory than it may have.',
      fix: "Raise the memory limit in this host's agent.yaml, free main memory, or choose a smaller model.",
      outOfMemory: true,
    };
  }
  const words = exit.exitCode === null ? '' : (EXIT_WORDS[exit.exitCode] ?? '');
  const told =
    exit.exitCode === null ? 'The container ended.' : `The container ended with exit code ${exit.exitCode}.`;
  return { code: 'engine_crashed', line: `${told} ${words}`.trim(), fix: null, outOfMemory: false };
}
