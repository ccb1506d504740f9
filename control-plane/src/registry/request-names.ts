import type Database from 'better-sqlite3';

/** Engines choose some of the codes: what comes beyond this many is called `other`. */
const MAX_NAMES = 20_000;
const OTHER = 'other';

/** Numbers of names, as the one who writes them knows them. */
export class RequestNames {
  readonly #read: Database.Statement;
  readonly #insert: Database.Statement;
  #known: Map<string, number> | null = null;

  constructor(raw: Database.Database) {
    this.#read = raw.prepare('SELECT name, id FROM request_names').raw();
    this.#insert = raw.prepare('INSERT INTO request_names (name) VALUES (?)');
  }

  /** Gives a new name a number, within the transaction under way. */
  numberOf(name: string): number {
    this.#known ??= new Map(this.#read.all() as [string, number][]);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_NAMES && name !== OTHER) return this.numberOf(OTHER);
    const number = Number(this.#insert.run(name).lastInsertRowid);
    this.#known.set(name, number);
    return number;
  }

  forget(): void {
    this.#known = null;
  }
}
