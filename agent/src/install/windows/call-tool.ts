import type { RunTool } from '../../identity/run-tool.js';
import type { ToolCall } from './decide/service-arguments.js';

/** What it printed. The wrapper writes UTF-16 where it does not write to a console. @throws Error in letters */
export function callTool(runTool: RunTool, [file, args]: ToolCall): Promise<string> {
  return runTool(file, args).catch((error: unknown) => {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(said.replaceAll('\0', '').trim(), { cause: error });
  });
}
