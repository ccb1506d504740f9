import { resolve } from 'node:path';
import { BUILD } from '@ai-fabric/shared';
import { printJson } from '../../output.js';
import { verifyArchive } from '../verify-archive.js';

export function verifyAction(dir: string, flags: { readonly json?: boolean }): void {
  const folder = resolve(dir);
  const { build, proven } = verifyArchive(folder, BUILD.releaseKey);
  if (flags.json) printJson({ folder, build, proven });
  else if (proven) console.log(`${folder} is signed by the release key.`);
  else console.log(`${folder} is whole. This program is a development build, which has no release key.`);
}
