import {
  type AgentPolicy,
  agentPolicySchema,
  DEFAULT_AGENT_POLICY,
  nestsDeeperThan,
} from '@ai-fabric/shared';
import { isNode, Lexer, LineCounter, Parser, parseDocument } from 'yaml';
import type { z } from 'zod';

export type PolicyResult =
  | { readonly ok: true; readonly policy: AgentPolicy }
  /** One per mistake, as compilers write them: `agent.yaml:3:5: images[0]: expected …`. */
  | { readonly ok: false; readonly errors: readonly string[] };

const MAX_ERRORS = 20;
/** A policy has three levels. */
const MAX_OPEN = 100;

/** The text of a host owner's agent.yaml. Never throws; all mistakes at once. An empty file says nothing. */
export function parseAgentPolicy(text: string, file: string): PolicyResult {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  if (nestsDeeperThan(MAX_OPEN, new Parser(), new Lexer().lex(text))) {
    return { ok: false, errors: [`${file}:1:1: no valid YAML: nested too deeply`] };
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = [...document.errors, ...document.warnings];
  if (broken) return { ok: false, errors: [`${at(broken.pos[0])}: no valid YAML: ${broken.message}`] };
  const value: unknown = toPlain(document);
  if (value === null || value === undefined) return { ok: true, policy: DEFAULT_AGENT_POLICY };
  const parsed = agentPolicySchema.safeParse(value);
  if (parsed.success) return { ok: true, policy: parsed.data };
  const placed = parsed.error.issues.flatMap((issue) =>
    describe(issue).map(({ path, message }) => ({ offset: offsetOf(document, path), path, message })),
  );
  placed.sort((a, b) => a.offset - b.offset);
  const errors = placed
    .slice(0, MAX_ERRORS)
    .map(({ offset, path, message }) => `${at(offset)}: ${formatPath(path)}: ${message}`);
  return { ok: false, errors };
}

type Path = readonly PropertyKey[];

/** References that stand for more than they are worth are refused by the parser itself. */
function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch {
    return 'no plain value';
  }
}

function describe(issue: z.core.$ZodIssue): { readonly path: Path; readonly message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(agentPolicySchema.shape).join(', ');
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `unknown key; known: ${known}`,
    }));
  }
  return [{ path: issue.path, message: `expected ${expectation(issue)}` }];
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return WORDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.join(' or ');
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  array: 'a list',
  object: 'a mapping (name: value)',
};

/** Where a path stands; of what is missing, where the nearest thing above it does. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function formatPath(path: Path): string {
  const text = path.reduce<string>(
    (before, part) =>
      typeof part === 'number' ? `${before}[${part}]` : `${before}${before === '' ? '' : '.'}${String(part)}`,
    '',
  );
  return text === '' ? '(the whole file)' : text;
}
