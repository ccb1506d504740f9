/**
 * What the YAML reader's complaints mean. Its own texts are not used: they quote the file, and the quoted piece may
 * be a key that somebody pasted.
 */
const MEANINGS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab in the indentation; use spaces',
  BAD_INDENT: 'the indentation does not fit, or a bracket opened before is not closed',
  BLOCK_AS_IMPLICIT_KEY: 'a second "name:" on one line; start a new line, or put the value in quotes',
  BLOCK_IN_FLOW: 'lines of a block inside { } or [ ]; use commas there',
  MULTILINE_IMPLICIT_KEY: 'a name that goes over several lines; is a ":" missing?',
  KEY_OVER_1024_CHARS: 'a name of more than 1,024 characters; is a ":" missing?',
  MISSING_CHAR: 'a character is missing before this: a closing quote, a bracket, a comma or a ":"',
  BAD_SCALAR_START: 'a value that starts with a reserved character; put it in quotes',
  BAD_DQ_ESCAPE: 'an unknown "\\" sequence; use single quotes, or write "\\\\"',
  MULTIPLE_DOCS: 'a second document ("---"); one file holds one',
  BAD_ALIAS: 'a "*" reference that is not well formed; put the value in quotes if "*" belongs to it',
  DUPLICATE_KEY: 'a name that is given twice',
  BAD_DIRECTIVE: 'a "%" directive that is not known; remove the line',
  TAG_RESOLVE_FAILED: 'a "!" tag; remove it, or put the value in quotes',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  UNEXPECTED_TOKEN:
    'something that does not belong here; look at the indentation of this line and the one before',
};

export function describeSyntaxError(code: string): string {
  return `no valid YAML: ${MEANINGS[code] ?? 'this cannot be read'}`;
}
