import type { ContainerEngine } from '../../containers/container-engine.js';
import type { AgentEndpoint } from '../../tunnel/agent-endpoints.js';
import { answerJson } from '../../tunnel/answer-json.js';
import { refuseStream } from '../../tunnel/refuse-stream.js';
import { labelNames } from './decide/judge-container.js';

/** Of a host with more than that nobody looks for a name in a list. */
const MAX_CONTAINERS = 500;

/**
 * `GET /agent/v1/containers`: all containers of this host by name, as JSON, with the deployment that the label of one
 * names (`null`: it has none). Nothing else of them is told.
 */
export function containersEndpoint(engine: Pick<ContainerEngine, 'list'>): AgentEndpoint {
  return async (stream, { method, segments }, signal) => {
    if (method !== 'GET' || segments.length > 0) {
      return refuseStream(stream, 'path_not_allowed', 'GET /agent/v1/containers');
    }
    await answerJson(stream, async () => {
      const containers = (await engine.list(signal)).slice(0, MAX_CONTAINERS);
      return {
        containers: containers.map(({ name, labels }) => ({
          name,
          deployment: labels[labelNames.deployment] ?? null,
        })),
      };
    });
  };
}
