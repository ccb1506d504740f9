/** A refusal in vLLM's words. */
export class VllmError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;

  constructor(status: number, type: string, message: string, param: string | null = null) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = param;
  }
}

export function badRequest(message: string, param: string | null = null): VllmError {
  return new VllmError(400, 'BadRequestError', message, param);
}

export function unknownModel(model: string): VllmError {
  return new VllmError(404, 'NotFoundError', `The model \`${model}\` does not exist.`, 'model');
}

export function engineDead(): VllmError {
  return new VllmError(500, 'InternalServerError', 'EngineCore encountered an issue. See stack trace.');
}

export function overloaded(message: string): VllmError {
  return new VllmError(503, 'ServiceUnavailableError', message);
}

/** As `/v1/messages` tells it: no field says what is at fault. */
export function messageError({ type, message }: VllmError): object {
  return { type: 'error', error: { type, message } };
}

/** The body of an error: `code` is the integer status. Older versions sent it flat. */
export function errorBody(error: VllmError, flat: boolean): object {
  const { message, type, param, status } = error;
  if (flat) return { object: 'error', message, type, param, code: status };
  return { error: { message, type, param, code: status } };
}
