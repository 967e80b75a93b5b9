import { styleText } from 'node:util';

export type Color = 'red' | 'green' | 'yellow' | 'dim';

/** Paints where there are colours; only after padding, for the codes have no width. */
export const painter =
  (colors: boolean) =>
  (color: Color | null, text: string): string =>
    // Whether there are colours is known better than by the stream.
    colors && color !== null ? styleText(color, text, { validateStream: false }) : text;
