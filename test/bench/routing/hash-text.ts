/** 64 bits of a text, in two words. The same text has the same ones in every run. */
export function hashText(text: string): readonly [number, number] {
  let [high, low] = [0x811c9dc5, 0x9e3779b9];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul((low << 13) | (low >>> 19), 0x85ebca6b) ^ code;
  }
  return [mixed(high), mixed(low)];
}

function mixed(word: number): number {
  const once = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}
