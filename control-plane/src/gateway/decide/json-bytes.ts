/** JSON's punctuation, as bytes. */
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const COLON = 0x3a;
export const COMMA = 0x2c;

/**
 * Within this distance a plain loop finds the end of a string sooner than a native search does; it also keeps
 * a string full of escaped quotes from costing a native call for each.
 */
export const SHORT_STRING_BYTES = 48;
