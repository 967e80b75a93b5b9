/** Writes the reference pages that are made from code: `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { renderErrorReference } from '../src/config/error-reference.ts';
import { renderConfigReference } from '../src/config/reference.ts';

const docs = new URL('../docs/', import.meta.url);
writeFileSync(new URL('configuration.md', docs), renderConfigReference());
writeFileSync(new URL('errors.md', docs), renderErrorReference());
