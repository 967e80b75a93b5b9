export interface PluginView {
  readonly name: string;
  readonly summary: string;
  readonly mode: string;
  readonly path: string;
  readonly timeout_ms: number | null;
  readonly noop: boolean;
  readonly allowed: boolean;
  readonly args: Readonly<
    Record<
      string,
      {
        readonly summary: string;
        readonly required: boolean;
        readonly pattern: string | null;
        readonly default: string | null;
        /** A daemon of before knows of none of these. */
        readonly fixed?: string | null;
        readonly kind?: 'text' | 'integer';
        readonly min?: number | undefined;
        readonly max?: number | undefined;
      }
    >
  >;
  /** Null, or why this plugin cannot be used. */
  readonly problem: string | null;
}

export interface PluginTestView {
  readonly name: string;
  readonly ok: boolean;
  readonly expected_exit_code: number;
  readonly exit_code: number | null;
  readonly output: string;
  /** Its bytes, where they are not UTF-8. */
  readonly output_base64?: string;
  readonly problem: string | null;
}
