const NAME = /"hostName":\s*"([^"\\]+)"/g;
const SERVER = /"server(?:Url)?":\s*"[a-z]+:\/\/\[?([^\]/":]+)/g;
const ADDRESS = /^[\d.]+$|:/;

/** Names of this host and of its control plane, as its records write them. */
export function namesOfRecords(files: readonly { readonly text: string }[]): readonly string[] {
  const found = files.flatMap(({ text }) =>
    [...text.matchAll(NAME), ...text.matchAll(SERVER)].map(([, name = '']) => name),
  );
  return [...new Set(found)].filter((name) => !ADDRESS.test(name));
}
