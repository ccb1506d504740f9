import type { z } from 'zod';
import type { DeclaredFinding } from './declared-finding.js';
import { describeText, describeValue } from './describe-value.js';
import { nearestNames } from './nearest-names.js';
import { suggestName } from './suggest-name.js';

type SchemaIssue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

export interface SchemaIssueContext {
  /** The whole value that was checked: issues tell where, this tells what stands there. */
  readonly root: unknown;
  /** Keys that the schema has at a path; for the nearest one of an unknown key. */
  readonly knownKeys: (path: Path) => readonly string[];
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (name: value)',
  record: 'a mapping (name: value)',
};

const DEPLOYMENT_KEYS: readonly string[] = ['deployment'];
const PROVIDER_KEYS: readonly string[] = ['provider', 'model'];
const TARGET_FORMS = '{ deployment: NAME } or { provider: NAME, model: NAME }';

const KEY_REFERENCE_EXPECTED =
  'expected { env: NAME }, { file: /absolute/path }, { credential: NAME } or { azureKeyVault: { vault, secret } }: ' +
  'the key itself never stands in this file; ' +
  'put it into an environment variable or a file of its own (and replace it, if it was shared with this one)';

/** The schema's complaints in our words: one per place, unknown keys one by one. */
export function describeSchemaIssues(
  issues: readonly SchemaIssue[],
  context: SchemaIssueContext,
): DeclaredFinding[] {
  const findings = new Map<string, DeclaredFinding>();
  for (const issue of issues) {
    for (const finding of describeIssue(issue, context)) {
      const place = JSON.stringify(finding.path);
      // A wrong form says more than a wrong length, and both come for an empty name.
      if (!findings.has(place) || issue.code === 'invalid_format') findings.set(place, finding);
    }
  }
  return [...findings.values()];
}

function describeIssue(issue: SchemaIssue, context: SchemaIssueContext): DeclaredFinding[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (path.includes('apiKey')) return [describeKeyReference(issue, path)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => describeUnknownKey(key, path, context));
    case 'invalid_key': {
      const name = describeText(String(path.at(-1)));
      const message = `${name} is no valid name; expected ${issue.issues[0]?.message ?? 'another'}`;
      return [{ path, atKey: true, message }];
    }
    case 'invalid_union':
      return describeUnion(issue, path, context);
    default:
      return [{ path, message: expectedAndFound(issue, valueAt(context.root, path), path) }];
  }
}

function expectedAndFound(issue: SchemaIssue, value: unknown, path: Path): string {
  if (issue.code === 'custom' && issue.params?.['whole'] === true) return issue.message;
  const expected = `expected ${expectation(issue, value)}`;
  if (value === undefined) return `missing; ${expected}`;
  return withFound(expected, value, path);
}

function describeKeyReference(issue: SchemaIssue, path: Path): DeclaredFinding {
  if (issue.code === 'invalid_format') {
    return { path, message: `expected ${issue.message}; the key itself never stands in this file` };
  }
  return { path: path.slice(0, path.indexOf('apiKey') + 1), message: KEY_REFERENCE_EXPECTED };
}

function describeUnknownKey(key: string, path: Path, context: SchemaIssueContext): DeclaredFinding {
  const at = { path: [...path, key], atKey: true };
  if (key === '<<') {
    return { ...at, message: 'merge keys ("<<") are not read here; write the fields out' };
  }
  const known = context.knownKeys(path);
  if (known.includes(key) && path[0] === 'deployments') {
    const engine = key === 'url' ? 'external' : 'vllm';
    return { ...at, message: `${describeText(key)} goes with engine: ${engine}` };
  }
  if (known.includes(key)) {
    return { ...at, message: `"${key}" does not go with the other keys here; expected ${TARGET_FORMS}` };
  }
  return { ...at, message: `unknown key ${describeText(key)}${suggestName(key, known)}` };
}

/** A choice between shapes: by a key that says which, in the schema's own words, or by the keys of a target. */
function describeUnion(
  issue: Extract<SchemaIssue, { code: 'invalid_union' }>,
  path: Path,
  context: SchemaIssueContext,
): DeclaredFinding[] {
  const value = valueAt(context.root, path);
  if (issue.discriminator !== undefined) {
    const isKind = issue.path.at(-1) === issue.discriminator;
    const at = isKind ? path : [...path, issue.discriminator];
    const found = valueAt(context.root, at);
    const expected = `expected ${oneOf(ENGINES, found)}`;
    return [
      { path: at, message: found === undefined ? `missing; ${expected}` : withFound(expected, found, at) },
    ];
  }
  if (issue.message !== UNSPOKEN)
    return [{ path, message: withFound(`expected ${issue.message}`, value, path) }];
  return describeTarget(issue, path, context);
}

/** What the schema says of a choice that was given no words. */
const UNSPOKEN = 'Invalid input';
const ENGINES: readonly string[] = ['external', 'vllm'];

function withFound(expected: string, value: unknown, path: Path): string {
  const found = path.includes('environment') ? null : describeValue(value, path);
  return found === null ? expected : `${expected}, found ${found}`;
}

/** A role's target, the only other union: which of the two was meant is told by the keys that stand there. */
function describeTarget(
  issue: Extract<SchemaIssue, { code: 'invalid_union' }>,
  path: Path,
  context: SchemaIssueContext,
): DeclaredFinding[] {
  const value = valueAt(context.root, path);
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const ofDeployment = keys.some((key) => DEPLOYMENT_KEYS.includes(key));
  const ofProvider = keys.some((key) => PROVIDER_KEYS.includes(key));
  const meant = issue.errors[ofDeployment ? 0 : 1];
  if (!meant || (!ofDeployment && !ofProvider)) {
    return [{ path, message: `expected ${TARGET_FORMS}, found ${describeValue(value, path)}` }];
  }
  const inner = meant.map((each) => ({ ...each, path: [...path, ...each.path] }) as SchemaIssue);
  const knownKeys = ofDeployment ? DEPLOYMENT_KEYS : PROVIDER_KEYS;
  return describeSchemaIssues(inner, { ...context, knownKeys: () => knownKeys });
}

function expectation(issue: SchemaIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_WORDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(issue.values.map(String), value);
    case 'too_small':
      return atLeast(issue.origin, issue.minimum, issue.inclusive !== false);
    case 'too_big':
      return `at most ${issue.maximum}${unit(issue.origin)}`;
    case 'invalid_format':
      return issue.message.startsWith('Invalid ')
        ? `text of the form ${issue.pattern ?? issue.format}`
        : issue.message;
    default:
      return issue.message;
  }
}

function oneOf(values: readonly string[], value: unknown): string {
  const [nearest] = typeof value === 'string' ? nearestNames(value, values) : [];
  return `${values.join(' or ')}${nearest === undefined || nearest === value ? '' : ` (did you mean "${nearest}"?)`}`;
}

function atLeast(origin: string, minimum: number | bigint, inclusive: boolean): string {
  if (!inclusive) return `more than ${minimum}`;
  if (minimum === 1 && origin === 'string') return 'text that is not empty';
  if (minimum === 1 && origin === 'array') return 'at least one entry';
  return `at least ${minimum}${unit(origin)}`;
}

function unit(origin: string): string {
  if (origin === 'array') return ' entries';
  return origin === 'string' ? ' characters' : '';
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[part];
  }
  return value;
}
