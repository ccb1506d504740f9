import { captureTool, type ToolCapture } from '../../sensors/gpu/capture-tool.js';
import { classifyToolFailure } from '../../sensors/gpu/decide/classify-tool-failure.js';
import { planQueryFields } from '../../sensors/gpu/decide/plan-query-fields.js';
import type { NvidiaSmi, ToolSearch } from '../../sensors/gpu/find-nvidia-smi.js';
import type { StartTool } from '../../sensors/gpu/tool-process.js';
import type { Findings } from '../findings.js';
import type { BundlePart } from '../gather-bundle.js';

export interface GpuPartOptions {
  readonly findTool: () => Promise<ToolSearch>;
  readonly startTool: StartTool;
}

/** A cold driver with many cards needs a while; a wedged one never ends, and is asked no second time. */
const RUN_MS = 20_000;
const DEADLINE_MS = 70_000;
const MAX_CHARACTERS = 2 * 1024 * 1024;
/** One for each spelling that an old driver may refuse. */
const MAX_QUERIES = 24;

/** Asked as the sensors ask, and what people look at. */
const QUESTIONS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['inventory.xml', ['-q', '-x']],
  ['list.txt', ['-L']],
  ['details.txt', ['-q']],
  ['overview.txt', []],
  ['processes.txt', ['pmon', '-c', '1', '-s', 'm']],
  ['compute-apps.csv', ['--query-compute-apps=process_name', '--format=csv,noheader']],
];

/** What nvidia-smi says, word for word, so that a simulated one can say it again. */
export function gpuPart(options: GpuPartOptions): BundlePart {
  return {
    title: 'cards and driver',
    deadlineMs: DEADLINE_MS,
    gather: async (findings, signal) => {
      const search = await options.findTool();
      if (!search.found) {
        findings.lack('nvidia-smi', search.issue.detail);
        return;
      }
      const { tool } = search;
      const ask = (args: readonly string[]): Promise<ToolCapture> =>
        captureTool({
          ...{ startTool: options.startTool, tool, args, maxCharacters: MAX_CHARACTERS },
          signal: AbortSignal.any([signal, AbortSignal.timeout(RUN_MS)]),
        });
      if (!(await takeReadings(findings, tool, ask))) return;
      for (const [name, args] of QUESTIONS) {
        if (!take(findings, tool, name, args, await ask(args))) return;
      }
    },
  };
}

/** The sensor's query, less what this driver does not know. @returns false: the driver hangs */
async function takeReadings(
  findings: Findings,
  tool: NvidiaSmi,
  ask: (args: readonly string[]) => Promise<ToolCapture>,
): Promise<boolean> {
  const refused = new Set<string>();
  for (let tries = 0; tries < MAX_QUERIES; tries += 1) {
    const fields = planQueryFields(refused);
    if (fields === null) break;
    const args = [`--query-gpu=${fields.map(({ name }) => name).join(',')}`, '--format=csv,noheader,nounits'];
    const capture = await ask(args);
    const failure =
      capture.exitCode === 0
        ? null
        : classifyToolFailure({
            ...{ exitCode: capture.exitCode, signal: null, startError: capture.startError },
            output: `${capture.output}\n${capture.errorText}`,
          });
    if (failure?.kind !== 'field_refused' || refused.has(failure.field)) {
      return take(findings, tool, 'readings.csv', args, capture);
    }
    refused.add(failure.field);
  }
  findings.lack('nvidia-smi/readings.csv', 'this driver knows none of the fields that are asked for');
  return true;
}

/** @returns false: nothing more is to be asked */
function take(
  findings: Findings,
  tool: NvidiaSmi,
  name: string,
  args: readonly string[],
  capture: ToolCapture,
): boolean {
  const path = `nvidia-smi/${name}`;
  const source = [tool.command, ...args].join(' ');
  if (capture.hangs) {
    findings.lack(
      path,
      `${source} did not end within ${RUN_MS / 1_000} s: the driver hangs, and is asked no more`,
    );
    return false;
  }
  if (capture.startError !== null) {
    findings.lack(path, `${source}: ${capture.startError}`);
    return false;
  }
  const text = capture.output === '' ? capture.errorText : capture.output;
  findings.file({ name: path, text, source, args, answer: capture.exitCode, isCut: capture.isCut });
  return true;
}
