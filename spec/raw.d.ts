/** A file as text, put into the module by vite: a test that reads a page or a sample touches no disk itself. */
declare module '*?raw' {
  const text: string;
  export default text;
}

interface ImportMeta {
  /** Vite's: every file of the pattern as text, by its path relative to the module. */
  glob(
    pattern: string,
    options: { readonly query: '?raw'; readonly import: 'default'; readonly eager: true },
  ): Record<string, string>;
}
