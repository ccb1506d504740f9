#!/usr/bin/env node
// What `npm run …` starts. Until the Node version has been judged this file must stay readable to an old
// Node, so it imports nothing else statically and uses no new syntax.
import { refuseNodeVersion } from './decide/refuse-node-version.mjs';

const refusal = refuseNodeVersion(process.versions.node);
if (refusal === null) {
  import('./commands.mjs').then((commands) => commands.runCommand(process.argv.slice(2)));
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
}
