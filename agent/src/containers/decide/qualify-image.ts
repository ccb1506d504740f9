/**
 * The whole name of an image: Podman's own API knows no short ones, Docker pulls every tag where none is given.
 * `vllm/vllm-openai` is `docker.io/vllm/vllm-openai:latest`.
 */
export function qualifyImage(reference: string): string {
  const [beforeDigest = '', digest] = reference.split('@', 2);
  const slash = beforeDigest.indexOf('/');
  const first = slash < 0 ? '' : beforeDigest.slice(0, slash);
  // As Docker tells a registry from the first part of a path.
  const hasRegistry = first === 'localhost' || /[.:]/.test(first);
  const path = hasRegistry ? beforeDigest : `docker.io/${slash < 0 ? 'library/' : ''}${beforeDigest}`;
  if (digest !== undefined) return `${path}@${digest}`;
  const tagged = path.lastIndexOf(':') > path.lastIndexOf('/');
  return tagged ? path : `${path}:latest`;
}
