/** What draws the desktop, and our own engines: on a card, and nobody's claim to it. */
const OF_NO_INTEREST =
  /^(vllm\b.*|xorg|xwayland|gnome-shell|kwin_\w+|plasmashell|sddm.*|gdm.*|dwm|explorer|csrss|lockapp|searchhost|startmenuexperiencehost|shellexperiencehost|shellhost|textinputhost|applicationframehost|systemsettings|nvidia overlay|nvcontainer|widgets)(\.exe)?$/i;
const MOST_NAMES = 8;
const LONGEST_NAME = 80;

/**
 * Reads `nvidia-smi pmon -c 1 -s m`. Its heading names the columns, which differ between drivers.
 *
 * @returns names, the one with most memory first
 */
export function parsePmon(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const heading = lines.find((line) => /^#\s*gpu\b/i.test(line));
  const columns = heading?.replace(/^#\s*/, '').split(/\s+/) ?? [];
  const nameAt = columns.indexOf('command');
  const memoryAt = columns.indexOf('fb');
  if (nameAt === -1) return [];
  const rows = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/))
    .map((fields) => ({ name: fields.slice(nameAt).join(' '), memory: Number(fields[memoryAt]) || 0 }));
  return choose(rows.sort((one, other) => other.memory - one.memory).map(({ name }) => name));
}

/** Reads `nvidia-smi --query-compute-apps=process_name --format=csv,noheader`: whole paths, one a line. */
export function parseComputeApps(text: string): readonly string[] {
  return choose(text.split(/\r?\n/).map((line) => line.trim()));
}

function choose(names: readonly string[]): readonly string[] {
  const short = names
    .map((name) => (name.split(/[\\/]/).at(-1) ?? '').trim())
    .filter((name) => /^\w/.test(name) && !OF_NO_INTEREST.test(name))
    .map((name) => name.slice(0, LONGEST_NAME));
  return [...new Set(short)].slice(0, MOST_NAMES);
}
