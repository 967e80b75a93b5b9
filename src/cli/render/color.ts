export type Color = 'red' | 'green' | 'yellow' | 'dim';

const codes: Readonly<Record<Color, number>> = { red: 31, green: 32, yellow: 33, dim: 2 };

/** Paints where there are colours; only after padding, for the codes have no width. */
export const painter =
  (colors: boolean) =>
  (color: Color | null, text: string): string =>
    colors && color !== null ? `\u001b[${codes[color]}m${text}\u001b[0m` : text;
