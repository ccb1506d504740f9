import { readFile } from 'node:fs/promises';
import type { VllmReplica } from '@ai-fabric/shared';
import { trouble } from '../container/decide/container-trouble.js';
import { RecipeError } from '../container/replica-recipe.js';

const MAX_VALUE_BYTES = 16 * 1024;

/** Reads what a declaration only refers to. The policy was asked before. @throws RecipeError */
export async function readEnvironment(
  declared: VllmReplica['environment'],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(declared)) {
    if ('value' in value) environment[name] = value.value;
    else if ('env' in value) environment[name] = readVariable(name, value.env, variables);
    else environment[name] = await readSecretFile(name, value.file);
  }
  return environment;
}

function readVariable(
  name: string,
  variable: string,
  variables: Readonly<Record<string, string | undefined>>,
): string {
  const value = variables[variable];
  if (value !== undefined && value !== '') return value;
  throw missing(name, `the variable ${variable} is not set for the agent on this host`);
}

async function readSecretFile(name: string, path: string): Promise<string> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
    throw missing(name, `the file ${path} on this host: ${code}`);
  }
  const value = content.toString('utf8').trim();
  if (content.length > MAX_VALUE_BYTES || value === '' || /\p{Cc}/u.test(value)) {
    throw missing(name, `the file ${path} on this host holds no single line of text`);
  }
  return value;
}

function missing(name: string, why: string): RecipeError {
  const code = name === 'HF_TOKEN' ? 'hf_token_needed' : 'policy_refused';
  return new RecipeError(
    trouble(code, `${name} cannot be given to the container: ${why}.`, {
      fix: 'Put the value there, or change the environment of the deployment.',
    }),
  );
}
