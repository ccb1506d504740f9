/** A setting as it was given: on the command line, in the environment, or not at all. */
export interface GivenSetting {
  /** How a message names it: `--port` or `AI_FABRIC_PORT`. */
  readonly name: string;
  readonly text: string | undefined;
}

export interface WholeNumberRule {
  readonly least: number;
  readonly most: number;
  readonly fallback: number;
  /** As in "a port". */
  readonly what: string;
}

export type SettingResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: string };

const WHOLE_NUMBER = /^[0-9]{1,15}$/;
const ADDRESS = /^(?:[0-9A-Za-z][0-9A-Za-z.-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z_.-]+)?)$/;

/** The command line wins over the environment; an empty variable counts as not given. */
export function pickGiven(flag: GivenSetting, variable: GivenSetting): GivenSetting {
  if (flag.text !== undefined) return flag;
  const text = variable.text?.trim();
  return { name: variable.name, text: text === '' ? undefined : text };
}

export function readWholeNumber(given: GivenSetting, rule: WholeNumberRule): SettingResult<number> {
  if (given.text === undefined) return { ok: true, value: rule.fallback };
  const value = WHOLE_NUMBER.test(given.text.trim()) ? Number(given.text) : Number.NaN;
  if (value >= rule.least && value <= rule.most) return { ok: true, value };
  return refuse(given, `expected ${rule.what} from ${rule.least} to ${rule.most}`);
}

export function readChoice<Choice extends string>(
  given: GivenSetting,
  choices: readonly Choice[],
  fallback: Choice,
): SettingResult<Choice> {
  if (given.text === undefined) return { ok: true, value: fallback };
  const value = choices.find((choice) => choice === given.text);
  return value === undefined ? refuse(given, `expected one of ${choices.join(', ')}`) : { ok: true, value };
}

/** Addresses or host names, apart by commas or spaces; brackets around IPv6 are forgiven. */
export function readAddresses(
  given: GivenSetting,
  fallback: readonly string[],
): SettingResult<readonly string[]> {
  if (given.text === undefined) return { ok: true, value: fallback };
  const parts = given.text.split(/[\s,]+/).filter((part) => part !== '');
  const addresses = parts.map((part) => part.replace(/^\[(.*)\]$/, '$1'));
  const wrong = addresses.find((address) => !ADDRESS.test(address));
  if (addresses.length > 0 && wrong === undefined) return { ok: true, value: [...new Set(addresses)] };
  return refuse(given, 'expected an address of this machine without scheme or port, such as 0.0.0.0 or ::1');
}

const MOST_PORTS = 4;

/** UDP or TCP ports, apart by commas or spaces. */
export function readPorts(
  given: GivenSetting,
  fallback: readonly number[],
): SettingResult<readonly number[]> {
  if (given.text === undefined) return { ok: true, value: fallback };
  const parts = given.text.split(/[\s,]+/).filter((part) => part !== '');
  const ports = parts.map((part) => (WHOLE_NUMBER.test(part) ? Number(part) : Number.NaN));
  const areGood =
    ports.length > 0 && ports.length <= MOST_PORTS && ports.every((port) => port >= 1 && port <= 65_535);
  if (areGood) return { ok: true, value: [...new Set(ports)] };
  return refuse(given, `expected up to ${MOST_PORTS} ports from 1 to 65535, apart by commas`);
}

function refuse(given: GivenSetting, expected: string): { readonly ok: false; readonly problem: string } {
  return {
    ok: false,
    problem: `${given.name}: ${expected}, found ${JSON.stringify(given.text?.slice(0, 80))}`,
  };
}
