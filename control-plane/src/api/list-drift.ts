import type { z } from '@hono/zod-openapi';
import { detectDrift, type ObservedHost } from '../declared/decide/detect-drift.js';
import { planApply } from '../declared/decide/plan-apply.js';
import type { FabricFileResult } from '../declared/parse-fabric-text.js';
import type { ApiContext } from './api-context.js';
import { knownOfHosts } from './apply-document.js';
import type { driftSchema } from './declared-schemas.js';

type Drift = z.infer<typeof driftSchema>;

interface ComparedFile {
  /** `null`: a document without one. */
  readonly name: string | null;
  readonly read: FabricFileResult;
}

/** Hosts against what is declared, and that against a file. @param file `null`: there is none to compare with */
export function listDrift(context: ApiContext, file: ComparedFile | null): Drift {
  const declared = context.declared.current();
  return { file: file && driftOfFile(context, file), hosts: detectDrift(declared, observedHosts(context)) };
}

function driftOfFile(context: ApiContext, { name, read }: ComparedFile): Drift['file'] {
  if (!read.ok) return { name, plan: null, mistakes: read.errors };
  const options = { prune: false, ...knownOfHosts(context) };
  return { name, plan: planApply(context.declared.current(), read, options).plan, mistakes: [] };
}

function* observedHosts({ live }: ApiContext): Generator<ObservedHost> {
  const replicas = [...live.replicas()];
  for (const { name, hostId, presence } of live.hosts()) {
    const here = replicas.filter(({ host }) => host === name);
    yield {
      name,
      joined: hostId !== null,
      present: presence === 'online' || presence === 'late',
      replicas: new Map(here.map(({ deployment, status }) => [deployment, status])),
      undeclared: live.undeclaredReplicas(name),
    };
  }
}
