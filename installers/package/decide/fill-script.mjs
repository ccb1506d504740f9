const PLACEHOLDER = /@([A-Z0-9]+)(\?)?(?::([A-Za-z0-9][A-Za-z0-9._-]*))?@/g;

/**
 * Puts into an installer's script what is known only once a release is packaged: `@VERSION@`, and `@SHA256:NAME@`,
 * `@BYTES:NAME@` of an artefact. `@SHA256?:NAME@` is empty where there is no such artefact: the script must look.
 *
 * @param {string} text
 * @param {{ version: string, artefacts: readonly { name: string, sha256: string, bytes: number }[] }} release
 * @returns {string}
 * @throws {Error} naming a placeholder that says nothing: such a script would check nothing
 */
export function fillScript(text, { version, artefacts }) {
  return text.replaceAll(PLACEHOLDER, (placeholder, what, mayLack, name) => {
    if (what === 'VERSION' && name === undefined && mayLack === undefined) return version;
    const artefact = artefacts.find((each) => each.name === name);
    if (what === 'SHA256' && artefact !== undefined) return artefact.sha256;
    if (what === 'BYTES' && artefact !== undefined) return String(artefact.bytes);
    if (what === 'SHA256' && mayLack !== undefined && name !== undefined) return '';
    throw new Error(`the placeholder ${placeholder} means nothing in this release`);
  });
}
