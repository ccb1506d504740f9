/** What the demo tells while it runs. With `--json` each is a line of its own. */
export type DemoEvent =
  | { readonly kind: 'port_taken'; readonly wanted: number; readonly takenBy: string; readonly port: number }
  | { readonly kind: 'started'; readonly what: string; readonly tookMs: number }
  | { readonly kind: 'tour_began' }
  | {
      readonly kind: 'step';
      readonly number: number;
      readonly title: string;
      readonly held: boolean;
      /** What was seen, or what kept the step from holding. */
      readonly detail: string;
    }
  | {
      readonly kind: 'tour_ended';
      readonly held: number;
      readonly steps: number;
      readonly allHeld: boolean;
    }
  | {
      readonly kind: 'up';
      readonly url: string;
      readonly tlsUrl: string;
      readonly dataDirectory: string;
    }
  | {
      readonly kind: 'podman_up';
      readonly url: string;
      readonly tlsUrl: string;
      readonly dataDirectory: string;
      readonly role: string;
      readonly deployment: string;
      readonly container: string;
      /** Of the demo's own Podman. */
      readonly socketPath: string;
    }
  /** What `--podman` needs and this machine has not. */
  | {
      readonly kind: 'podman_lacking';
      readonly needs: readonly { readonly what: string; readonly fix: string }[];
    }
  | { readonly kind: 'ending' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'logs_kept'; readonly directory: string };

/** An event in the words that a person reads. */
export function describeEvent(event: DemoEvent): string {
  switch (event.kind) {
    case 'port_taken':
      return `Port ${event.wanted} is taken by ${event.takenBy}; taking ${event.port}.`;
    case 'started':
      return `  ✓ ${event.what} (${(event.tookMs / 1000).toFixed(1)} s)`;
    case 'tour_began':
      return '\nThe tour:';
    case 'step':
      return `  ${event.held ? '✓' : '✗'} ${event.number}. ${event.title}\n       ${event.detail}`;
    case 'tour_ended':
      return `\n${event.held} of ${event.steps} held.${event.allHeld ? NEXT : ''}`;
    case 'up':
      return invitation(event);
    case 'podman_up':
      return podmanInvitation(event);
    case 'podman_lacking':
      return lacking(event);
    case 'ending':
      return '\nEnding agents, engines and control plane …';
    case 'failed':
      return event.message;
    case 'logs_kept':
      return `Logs are kept in ${event.directory}`;
  }
}

const NEXT =
  '\nNext: the same without --once stays up for you to try; "npm start -- --help" is the real thing.';

function invitation({ url, tlsUrl, dataDirectory }: Extract<DemoEvent, { kind: 'up' }>): string {
  const chat = `-H 'content-type: application/json' -d '{"model":"chat-fast","messages":[{"role":"user","content":"hello"}]}'`;
  return `
OpenAI-compatible address   ${url}/v1
Control API, agents (TLS)   ${tlsUrl}
Operator's commands         npx ai-fabric hosts --data ${dataDirectory}

Try:
  curl -i ${url}/v1/chat/completions ${chat}
  curl -N ${url}/v1/chat/completions ${chat.replace('"model":"chat-fast"', '"model":"chat-deep","stream":true')}
  curl ${url}/v1/embeddings -H 'content-type: application/json' -d '{"model":"embeddings-general","input":"hello"}'

Ctrl-C ends it all.
`;
}

type Up<Kind extends DemoEvent['kind']> = Extract<DemoEvent, { readonly kind: Kind }>;

function podmanInvitation(event: Up<'podman_up'>): string {
  const { url, tlsUrl, dataDirectory, role, deployment, container, socketPath } = event;
  const chat = `-H 'content-type: application/json' -d '{"model":"${role}","messages":[{"role":"user","content":"hello"}]}'`;
  return `
OpenAI-compatible address   ${url}/v1
Control API, agents (TLS)   ${tlsUrl}
The demo's own Podman       podman --remote --url unix://${socketPath} ps
Operator's commands         npx ai-fabric … --data ${dataDirectory}

Try, and watch what becomes of the container:
  curl -i ${url}/v1/chat/completions ${chat}
  podman --remote --url unix://${socketPath} kill ${container}
  npx ai-fabric deployments set ${deployment} --context 2048 --data ${dataDirectory}
  npx ai-fabric logs ${deployment} -f --data ${dataDirectory}

Ctrl-C ends it all.
`;
}

function lacking({ needs }: Up<'podman_lacking'>): string {
  const width = Math.max(...needs.map(({ what }) => what.length));
  const lines = needs.map(({ what, fix }) => `  ✗ ${what.padEnd(width)}   ${fix}`);
  return `The demo on Podman was not started, and nothing was changed. This machine lacks:\n${lines.join('\n')}
Without Podman "npm run demo" shows all but the containers.`;
}
