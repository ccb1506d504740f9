import { readFileSync } from 'node:fs';
import { seededRandom } from '@ai-fabric/shared/testing';
import { parse } from 'yaml';
import { z } from 'zod';
import type { EngineShape } from '../../../simulators/batch-engine/engine-shape.js';
import { capacityPerSecond, cards } from '../cards.js';
import { LEAST_ANSWER, LEAST_PROMPT, meanLength } from './lengths.js';
import { nearest } from './nearest.js';
import type { LabReplica, Scenario } from './scenario.js';
import { type ScenarioFile, scenarioSchema } from './scenario-schema.js';

/** A scenario that cannot be read: the message names the file, the place and what is wrong. */
export class ScenarioError extends Error {}

/** @param file YAML or JSON. @throws ScenarioError */
export function readScenario(file: string): Scenario {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ScenarioError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parseScenario(text, file);
}

/** @param origin begins the message of an error. @throws ScenarioError */
export function parseScenario(text: string, origin: string): Scenario {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new ScenarioError(`${origin}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = scenarioSchema.safeParse(value, { reportInput: true });
  if (!parsed.success)
    throw problems(
      origin,
      parsed.error.issues.map((issue) => describeIssue(issue)),
    );
  return workOut(parsed.data, origin);
}

function workOut(file: ScenarioFile, origin: string): Scenario {
  const shared = file.prefixes === undefined ? 0 : file.prefixes.sharedTokens;
  const prompt = meanLength(file.prompt.lognormal, LEAST_PROMPT, seededRandom);
  const answer = meanLength(file.answer.lognormal, LEAST_ANSWER, seededRandom);
  const wrong: string[] = [];
  const fleet = file.fleet.map((declared, index): LabReplica => {
    const shape = shapeOf(declared, `fleet.${index}`, wrong);
    return {
      deployment: declared.deployment,
      shape,
      capacityPerSecond: capacityPerSecond(shape, prompt, answer),
    };
  });
  const names = fleet.map(({ deployment }) => deployment);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) wrong.push(`fleet.${index}.deployment: ${name} is there twice`);
  }
  const longest = mostTokens(file, shared);
  for (const [index, { shape }] of fleet.entries()) {
    if (longest > shape.kvTokens) {
      wrong.push(
        `fleet.${index}.kvTokens: ${shape.kvTokens} has no room for one request of ${longest} tokens`,
      );
    }
  }
  const replicaOf = (name: string, path: string): number => {
    const index = names.indexOf(name);
    if (index < 0) wrong.push(`${path}: ${unknown(name, names)}`);
    return index;
  };
  const outside = file.outside.map(({ replica, load, onSeconds, offSeconds }, index) => {
    const of = replicaOf(replica, `outside.${index}.replica`);
    const capacity = fleet[of]?.capacityPerSecond ?? 0;
    return {
      replica: of,
      requestsPerSecond: rateOf(load, capacity),
      ...{ onMs: onSeconds * 1_000, offMs: offSeconds * 1_000 },
    };
  });
  const events = file.events.map((event, index) => ({
    replica: replicaOf(event.replica, `events.${index}.replica`),
    becomes: event.becomes,
    ...{ atMs: event.atSeconds * 1_000, toldAfterMs: event.toldAfterSeconds * 1_000 },
    coldMs: event.coldSeconds * 1_000,
  }));
  if (file.ignoreFirst >= file.requests) {
    wrong.push(`ignoreFirst: ${file.ignoreFirst} leaves nothing of ${file.requests} requests to be counted`);
  }
  if (wrong.length > 0) throw problems(origin, wrong);
  const capacity = fleet.reduce((sum, { capacityPerSecond: each }) => sum + each, 0);
  const scenario = { ...file, fleet, requestsPerSecond: rateOf(file.load, capacity), outside, events };
  const endless = findEndless(scenario);
  if (endless.length > 0) throw problems(origin, endless);
  return scenario;
}

/** Of one run: what is more takes hours, or all memory, for each policy and seed. */
const MOST_READINGS = 20_000_000;
const MOST_OUTSIDE = 1_000_000;

/** What a run of it would never be through with. */
function findEndless({ requests, requestsPerSecond, gauges, fleet, outside }: Scenario): string[] {
  const seconds = requests / requestsPerSecond;
  const about = (what: string): string =>
    `in the ${seconds.toPrecision(2)} s that ${requests} requests take, ${what}`;
  const readings = (seconds / gauges.everySeconds) * fleet.length;
  const wrong = outside.flatMap(({ requestsPerSecond: each, onMs, offMs }, index) => {
    const sent = (seconds * each * onMs) / (onMs + offMs);
    if (sent <= MOST_OUTSIDE) return [];
    return [
      `outside.${index}.load: ${about(`others send ${sent.toPrecision(2)}`)}; at most ${MOST_OUTSIDE} are taken`,
    ];
  });
  if (readings > MOST_READINGS) {
    const read = about(`gauges are read ${readings.toPrecision(2)} times`);
    wrong.push(`gauges.everySeconds: ${read}; at most ${MOST_READINGS} are taken`);
  }
  return wrong;
}

/** Of a request: the whole conversation before it counts to its prompt. */
function mostTokens({ prompt, answer, prefixes }: ScenarioFile, shared: number): number {
  return shared + (prefixes?.turns ?? 1) * (prompt.lognormal.most + answer.lognormal.most);
}

function shapeOf(declared: ScenarioFile['fleet'][number], path: string, wrong: string[]): EngineShape {
  const { card, deployment: _, ...own } = declared;
  const base: Partial<EngineShape> =
    card === undefined ? { tokensPerIteration: 2048, mostWaiting: null } : cards[card];
  const stated = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const shape = { ...base, ...stated };
  const needed = ['iterationMs', 'decodingMs', 'promptTokenMs', 'kvTokens', 'slots'] as const;
  const missing = needed.filter((name) => shape[name] === undefined);
  if (missing.length > 0) wrong.push(`${path}: without a card it needs ${missing.join(', ')}`);
  return { ...cards.big, ...shape };
}

function rateOf(load: ScenarioFile['load'], capacity: number): number {
  return 'ofCapacity' in load ? load.ofCapacity * capacity : load.requestsPerSecond;
}

function problems(origin: string, lines: readonly string[]): ScenarioError {
  return new ScenarioError(lines.map((line) => `${origin}: ${line}`).join('\n'));
}

/** @param before of a part of the file, where it stands */
function describeIssue(issue: z.core.$ZodIssue, before: readonly PropertyKey[] = []): string {
  const place = [...before, ...issue.path];
  const path = place.length === 0 ? 'the scenario' : place.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(place);
    return issue.keys.map((key) => `${path}: ${unknown(key, known)}`).join('; ');
  }
  if (issue.code === 'invalid_union') {
    const meant = meantBy(issue.errors);
    if (meant !== null) return meant.map((each) => describeIssue(each, place)).join('; ');
  }
  if (issue.code === 'invalid_value' && typeof issue.input === 'string') {
    return `${path}: ${unknown(issue.input, issue.values.map(String))}`;
  }
  return `${path}: ${issue.message}`;
}

function unknown(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const hint =
    meant === null ? (known.length > 0 ? `; known: ${known.join(', ')}` : '') : `; do you mean ${meant}?`;
  return `${name} is not known${hint}`;
}

/** Of what may stand somewhere, the one that fits all but a value; `null`: none does, or several. */
function meantBy(choices: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const near = choices.filter((issues) =>
    issues.every(({ code, path }) => code !== 'unrecognized_keys' && path.length > 0),
  );
  const [only] = near;
  return near.length === 1 && only !== undefined ? only : null;
}

/** What may stand where the path leads. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let places: readonly Place[] = [z.toJSONSchema(scenarioSchema, { io: 'input' }) as Place];
  for (const step of path) {
    places = places.flatMap(choicesOf).flatMap(({ properties, items, prefixItems }) => {
      if (typeof step === 'number') return items ?? prefixItems?.[step] ?? [];
      return properties?.[String(step)] ?? [];
    });
  }
  return places.flatMap(choicesOf).flatMap(({ properties }) => Object.keys(properties ?? {}));
}

/** As much of a JSON schema as is looked at. */
interface Place {
  readonly properties?: Readonly<Record<string, Place>>;
  readonly items?: Place;
  readonly prefixItems?: readonly Place[];
  readonly anyOf?: readonly Place[];
}

function choicesOf(place: Place): readonly Place[] {
  return place.anyOf === undefined ? [place] : place.anyOf.flatMap(choicesOf);
}
