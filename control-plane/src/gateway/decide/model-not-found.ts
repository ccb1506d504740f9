import { type GatewayError, gatewayError } from './error-table.js';

const NAME_MAX_CHARS = 200;

/**
 * @param nearest known names most like the one asked for, best first
 * @param isRestricted whether the key may ask for some names only: it is not told whether others exist
 */
export function modelNotFound(
  model: string,
  nearest: readonly string[],
  isRestricted: boolean,
): GatewayError {
  const otherwise = isRestricted ? ', or this key may not ask for it' : '';
  const hint = nearest.length === 0 ? '' : ` Nearest: ${nearest.join(', ')}.`;
  const message = `The model "${model.slice(0, NAME_MAX_CHARS)}" does not exist${otherwise}.${hint} GET /v1/models lists all.`;
  return gatewayError('model_not_found', message, 'model');
}
