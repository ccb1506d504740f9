import { BUILD } from '@ai-fabric/shared';

/** Kept equal to package.json's by a test. */
export const VERSION = BUILD.version ?? '0.1.0';
