/** An element: its name, and its text or its children. */
export type XmlElement = readonly [
  name: string,
  content: string | readonly XmlElement[],
  attributes?: string,
];

/** An element whose children are texts. */
export function block(name: string, children: Readonly<Record<string, string>>): XmlElement {
  return [name, Object.entries(children)];
}

/** The element as text, one line per leaf. */
export function renderElement([name, content, attributes = '']: XmlElement, indent = ''): string {
  if (typeof content === 'string') return `${indent}<${name}${attributes}>${escapeXml(content)}</${name}>\n`;
  const children = content.map((child) => renderElement(child, `${indent}\t`)).join('');
  return `${indent}<${name}${attributes}>\n${children}${indent}</${name}>\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
