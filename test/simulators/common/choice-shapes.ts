import type { ChatRequest, Tool } from './request-bodies.js';

/** How the `choices` of one API look: the first chunk, one piece, the end, and all at once. */
export interface ChoiceShape {
  /** The chunk before the first piece; `null` where the API has none. */
  first(): object | null;
  piece(text: string, index: number): object;
  last(finishReason: string): object;
  whole(text: string, finishReason: string): object;
}

export function chatTextShape(): ChoiceShape {
  return {
    first: () => chunkChoice({ role: 'assistant', content: '' }, null),
    piece: (text) => chunkChoice({ content: text }, null),
    last: (finishReason) => chunkChoice({ content: '' }, finishReason),
    whole: (text, finishReason) => ({
      index: 0,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: null,
      finish_reason: finishReason,
    }),
  };
}

/** The answer is one call of `name`; its arguments come in pieces. */
export function chatToolShape(name: string, callId: string): ChoiceShape {
  const call = (text: string) => ({ id: callId, type: 'function', function: { name, arguments: text } });
  return {
    first: () => chunkChoice({ role: 'assistant', content: null }, null),
    piece: (text, index) => {
      const part = index === 0 ? { index: 0, ...call(text) } : { index: 0, function: { arguments: text } };
      return chunkChoice({ tool_calls: [part] }, null);
    },
    last: (finishReason) => chunkChoice({}, finishReason),
    whole: (text, finishReason) => ({
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, tool_calls: [call(text)] },
      logprobs: null,
      finish_reason: finishReason,
    }),
  };
}

export function completionShape(choiceIndex = 0): ChoiceShape {
  const choice = (text: string, finishReason: string | null) => ({
    index: choiceIndex,
    text,
    logprobs: null,
    finish_reason: finishReason,
  });
  return {
    first: () => null,
    piece: (text) => choice(text, null),
    last: (finishReason) => choice('', finishReason),
    whole: choice,
  };
}

/**
 * The tool that this request makes a model call: the one it insists on, else the first one.
 * None when tools are off or when the last message already is a tool's result.
 */
export function chosenTool(request: ChatRequest): Tool | null {
  const tools = request.tools ?? [];
  const first = tools[0];
  if (!first || request.tool_choice === 'none' || request.messages.at(-1)?.role === 'tool') return null;
  const wanted = (request.tool_choice as { function?: { name?: string } } | undefined)?.function?.name;
  return tools.find((tool) => tool.function.name === wanted) ?? first;
}

/** Arguments for a call, one per declared property, of the declared type. */
export function toolArguments(tool: Tool, quoted: string): string {
  const properties = Object.entries(tool.function.parameters?.properties ?? {});
  const value = (schema: unknown) => {
    const type = (schema as { type?: string } | null)?.type;
    if (type === 'number' || type === 'integer') return quoted.length;
    if (type === 'boolean') return true;
    return type === 'array' ? [quoted] : quoted;
  };
  return JSON.stringify(Object.fromEntries(properties.map(([name, schema]) => [name, value(schema)])));
}

function chunkChoice(delta: object, finishReason: string | null): object {
  return { index: 0, delta, logprobs: null, finish_reason: finishReason };
}
