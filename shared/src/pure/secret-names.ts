/** As they stand in a name that was written small and without its separators. */
const ANYWHERE =
  /password|passwd|passphrase|secret|apikey|authkey|accesskey|privatekey|signingkey|encryptionkey/;
const AT_THE_END =
  /(?:credential|authorization|cookie|signature|directkey|enginekey|masterkey|sessionkey|accountkey|sharedkey|licensekey)s?$/;
const ALONE = /^(?:key|auth|pass|pwd|pat|jwt|sig|bearer|dsn)$/;
/** One of ours, of a hub, of a registry; not one of those that a language model counts. */
const TOKEN = /token(?!s|iz|is|count|budget|limit|id|len|type|per|ttl|need)/;
/** They say where a secret lies, or what it is called. */
const ABOUT = /(?:file|path|dir|folder|name|id|env|socket)$/;
/** systemd's: a name and a path. Its `SetCredential` holds the secret itself. */
const PLACES = /^loadcredential(?:encrypted)?$/;

/** Variables of every shell. */
const FOLDERS: ReadonlySet<string> = new Set(['PWD', 'OLDPWD']);

/** Whether what is called so is a secret: `HF_TOKEN`, `apiKey`, `--ssl-keyfile-password`; not `max_tokens`. */
export function isSecretName(name: string): boolean {
  if (FOLDERS.has(name)) return false;
  const plain = name.toLowerCase().replace(/[^a-z]/g, '');
  if (PLACES.test(plain) || ABOUT.test(plain)) return false;
  return ANYWHERE.test(plain) || AT_THE_END.test(plain) || ALONE.test(plain) || TOKEN.test(plain);
}
