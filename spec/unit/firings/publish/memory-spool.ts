import type { Spool, SpooledDocument, SpoolFile } from '../../../../src/firings/ports.ts';

/** A spool without a disk; the real folder is tested in `spec/integration/spool`. */
export class MemorySpool implements Spool {
  readonly files = new Map<string, SpooledDocument>();
  readonly rejected = new Map<string, string>();
  /** How often somebody has looked. */
  lists = 0;
  /** When set, every listing fails with it. */
  trouble: Error | undefined;
  readonly #listeners = new Set<() => void>();

  async list(): Promise<SpoolFile[]> {
    this.lists += 1;
    if (this.trouble) throw this.trouble;
    return [...this.files.keys()].map((name, index) => ({ name, storedAt: index }));
  }

  async read(name: string): Promise<SpooledDocument | undefined> {
    return this.files.get(name);
  }

  async add(id: string, text: string): Promise<void> {
    this.put(`${id}.json`, { text, keyspace: null });
  }

  async remove(id: string): Promise<void> {
    this.files.delete(`${id}.json`);
  }

  async reject(name: string, reason: string): Promise<void> {
    this.files.delete(name);
    this.rejected.set(name, reason);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  put(name: string, document: SpooledDocument): void {
    this.files.set(name, document);
    for (const listener of this.#listeners) listener();
  }
}
