import { JOIN_LINE } from '../../own-command.js';
import type { ProgramProof } from '../program-source.js';

/** What whoever installs should know of where the program came from. */
export function proofNotes(proof: ProgramProof): string[] {
  switch (proof) {
    case 'signed':
      return [];
    case 'development_build':
      return ['This is a development build: the release is not signed.'];
    case 'no_manifest':
      return [
        `No manifest.json lies beside this program: nothing proves that it is as it was released. To install what is proven, run ${JOIN_LINE}.`,
      ];
    default:
      return proof satisfies never;
  }
}
