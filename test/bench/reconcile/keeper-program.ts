import { declare, KeptHost } from '../../harness/kept-containers.js';
import { eventually } from '../../simulators/common/eventually.js';
import { answerParent } from '../machine/answer-parent.js';

/* The part of an agent that keeps containers, in a process of its own. */

export type KeeperQuestion =
  | { readonly do: 'start'; readonly socketPath: string; readonly card: string }
  | { readonly do: 'declare'; readonly deployments: readonly string[]; readonly image: string }
  | { readonly do: 'await ready'; readonly deployments: readonly string[] }
  /** When, in milliseconds since 1970, a deployment that was ready is seen not to be. */
  | { readonly do: 'await crash'; readonly deployment: string }
  | { readonly do: 'restart' };

let host: KeptHost | null = null;

function kept(): KeptHost {
  if (host === null) throw new Error('not started');
  return host;
}

const isReady = (deployment: string): boolean => kept().status(deployment)?.phase === 'ready';

async function answer(question: KeeperQuestion): Promise<object> {
  switch (question.do) {
    case 'start':
      host = new KeptHost({ socketPath: question.socketPath, cards: [question.card] });
      await host.start();
      return {};
    case 'declare': {
      const { deployments, image } = question;
      kept().declare(
        ...deployments.map((deployment) => declare({ deployment, servedModel: deployment, image })),
      );
      return {};
    }
    case 'await ready':
      await eventually('all are ready', () => question.deployments.every(isReady), 120_000);
      return { atMs: Date.now() };
    case 'await crash':
      await eventually('the crash is seen', () => !isReady(question.deployment), 30_000);
      return { atMs: Date.now() };
    case 'restart':
      await kept().stop();
      await kept().start();
      return { atMs: Date.now() };
    default:
      return question satisfies never;
  }
}

answerParent<KeeperQuestion>(answer);
