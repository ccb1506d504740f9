/** As `Parser` of the package yaml is, which this package does not know. */
interface StackedParser {
  /** What is open, the outermost first. */
  readonly stack: readonly unknown[];
  next(lexeme: string): Iterable<unknown>;
}

/**
 * Whether collections of a YAML text stand inside each other deeper than `levels`. To be asked before the text is
 * composed: that recurses, and V8 ends the whole process where a regular expression is compiled with the stack
 * nearly full. The parser keeps a stack of its own, and is left at the first collection too many.
 *
 * @param levels the document itself is one, and a collection takes at most two
 * @param parser a new one
 */
export function nestsDeeperThan(levels: number, parser: StackedParser, lexemes: Iterable<string>): boolean {
  for (const lexeme of lexemes) {
    Array.from(parser.next(lexeme));
    if (parser.stack.length > levels) return true;
  }
  return false;
}
