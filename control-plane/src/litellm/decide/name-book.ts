import { modelNameSchema, nameSchema } from '@ai-fabric/shared';

/** Gives names that are valid and not taken. */
export class NameBook {
  readonly #taken = new Set<string>();

  /** @returns `wanted`, made a valid name, with a number where somebody else has it */
  take(wanted: string): string {
    const base = slug(wanted);
    let name = base;
    for (let count = 2; this.#taken.has(name); count += 1) name = `${base}-${count}`;
    this.#taken.add(name);
    return name;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** A name of another form, such as an alias or `provider/model`. */
  reserve(name: string): void {
    this.#taken.add(name);
  }
}

/** Short enough for a number behind it. */
function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return plain.slice(0, 56) || 'unnamed';
}

/** `Qwen/Qwen2.5-7B-Instruct-AWQ` → `qwen2.5-7b-instruct-awq`. */
export function shortModelName(model: string): string {
  return slug(model.split('/').at(-1) ?? model);
}

export function isName(text: string): boolean {
  return nameSchema.safeParse(text).success;
}

export function isModelName(text: string): boolean {
  return modelNameSchema.safeParse(text).success;
}
