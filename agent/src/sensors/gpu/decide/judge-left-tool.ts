import { z } from 'zod';

/** A process that this agent started, so that it is known again after the agent was killed. */
export const toolRecordSchema = z.object({
  pid: z.int().positive(),
  bootId: z.string().min(1),
  /** Since boot, in the kernel's ticks: a process id is used again, this with it is not. */
  startTicks: z.string().min(1),
  args: z.array(z.string()).min(1),
});
export type ToolRecord = z.infer<typeof toolRecordSchema>;

export interface SeenProcess {
  readonly bootId: string;
  readonly startTicks: string;
  /** As /proc tells it: each argument ends with a zero byte. */
  readonly commandLine: string;
}

/**
 * Whether the process that now has the recorded id is the recorded one. Of its command only our own arguments count:
 * what stands before them changes when a wrapper gives its place to the tool.
 */
export function isLeftTool(record: ToolRecord, seen: SeenProcess): boolean {
  const args = `\0${record.args.join('\0')}\0`;
  return (
    record.bootId === seen.bootId && record.startTicks === seen.startTicks && seen.commandLine.endsWith(args)
  );
}

/**
 * Field 22 of /proc/PID/stat; `null` where that is no such line. The name may hold blanks and parentheses, so fields
 * are counted from behind the last one.
 */
export function readStartTicks(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields[19] ?? '';
  return /^\d+$/.test(ticks) ? ticks : null;
}
