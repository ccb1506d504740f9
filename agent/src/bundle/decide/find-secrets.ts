import { isSecretName } from '@ai-fabric/shared';
import type { KnownSecret } from '../findings.js';

const MAX_DEPTH = 40;
/** Settings of engines, drivers and systems that are of use to whoever is asked for help. */
const HARMLESS =
  /^(?:VLLM_|NVIDIA_|CUDA_|NCCL_|HF_HUB_|HF_HOME$|TORCH_|PYTORCH_|OMP_|PYTHON|LD_LIBRARY_PATH$|LIBRARY_PATH$|PATH$|HOME$|HOSTNAME$|LANG$|LC_|TZ$|container$|DEBIAN_FRONTEND$|UV_|AI_FABRIC_)/;
/** Letters of both sizes and digits, without a blank, and long: drawn by lot. A card's name looks like it. */
const LOOKS_DRAWN = /^(?!GPU-|MIG-)(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/_=.-]{20,}$/;
const USER_INFO = /[a-z][a-z0-9+.-]*:\/\/([^\s/?#]*)@/gi;

/** Values of an environment that are secrets by their names, or within an address. @param owner as `container ai-fabric-qwen` */
export function secretsOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  owner: string,
): readonly KnownSecret[] {
  return Object.entries(environment).flatMap(([name, value = '']) => {
    const origin = `${name} of ${owner}`;
    const isSecret = isSecretName(name) || (!HARMLESS.test(name) && LOOKS_DRAWN.test(value));
    return isSecret ? [{ origin, value }] : secretsOfAddresses(value, origin);
  });
}

/** The passwords of addresses such as `http://user:password@proxy:3128`. */
function secretsOfAddresses(text: string, origin: string): readonly KnownSecret[] {
  return [...text.matchAll(USER_INFO)].flatMap(([, userInfo = '']) => {
    const password = userInfo.includes(':') ? userInfo.slice(userInfo.indexOf(':') + 1) : userInfo;
    return [password, decoded(password)].map((value) => ({ origin, value }));
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Values of a tree (YAML, JSON) that stand under the name of a secret, however deep, and those of its command lines. */
export function secretsOfTree(tree: unknown, owner: string): readonly KnownSecret[] {
  const found: KnownSecret[] = [];
  const walk = (value: unknown, path: string, isSecret: boolean, depth: number): void => {
    if (depth > MAX_DEPTH) return;
    if (typeof value === 'string' || typeof value === 'number') {
      const origin = `${path} of ${owner}`;
      if (isSecret) found.push({ origin, value: String(value) });
      else found.push(...secretsOfAddresses(String(value), origin));
    } else if (Array.isArray(value)) {
      found.push(...secretsOfArguments(value, `${path} of ${owner}`), ...secretsOfVariables(value, owner));
      for (const each of value) walk(each, path, isSecret, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, each] of Object.entries(value)) {
        walk(each, path === '' ? name : `${path}.${name}`, isSecret || isSecretName(name), depth + 1);
      }
    }
  };
  walk(tree, '', false, 0);
  return found;
}

/** `--api-key abc`, `--hf-token=abc` in a list of arguments; several values may follow one flag. */
function secretsOfArguments(values: readonly unknown[], origin: string): readonly KnownSecret[] {
  const found: KnownSecret[] = [];
  let flag: string | null = null;
  for (const value of values) {
    if (typeof value !== 'string') continue;
    const [, name = '', own] = /^--?([a-z][\w-]*)(?:=([\s\S]*))?$/i.exec(value) ?? [];
    if (name !== '') {
      flag = isSecretName(name) ? name : null;
      if (flag !== null && own !== undefined) found.push({ origin: `--${flag}, ${origin}`, value: own });
    } else if (flag !== null) found.push({ origin: `--${flag}, ${origin}`, value });
  }
  return found;
}

/** `NAME=value` in a list, as container engines write an environment. */
function secretsOfVariables(values: readonly unknown[], owner: string): readonly KnownSecret[] {
  return secretsOfEnvironment(variablesOf(values), owner);
}

function variablesOf(values: readonly unknown[]): Record<string, string> {
  return Object.fromEntries(
    values.flatMap((value) => {
      const [, name = '', content = ''] =
        typeof value === 'string' ? (/^([A-Za-z_]\w*)=([\s\S]*)$/.exec(value) ?? []) : [];
      return name === '' ? [] : [[name, content] as const];
    }),
  );
}

/** An environment as container engines list it, with the values alone that are of use and no secrets. */
export function maskVariables(entries: readonly string[], mask: string): readonly string[] {
  return entries.map((entry) => {
    const at = entry.indexOf('=');
    const name = at < 0 ? entry : entry.slice(0, at);
    return HARMLESS.test(name) && !isSecretName(name) ? entry : `${name}=${mask}`;
  });
}
