/** `tags` → `TRIGGER_ARG_TAGS`. */
export const argumentVariable = (name: string): string => `TRIGGER_ARG_${name.toUpperCase().replaceAll('-', '_')}`;
