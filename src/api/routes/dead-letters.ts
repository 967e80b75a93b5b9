import * as v from 'valibot';
import type { DeadLettersView } from '../contract/trigger-files.ts';
import { text } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const body = v.strictObject({ path: v.optional(text(4_096)) });

/** Of a trigger file, or of all. */
export const deadLetters: Verb = (app, { triggerFiles }) => {
  for (const verb of ['replay', 'purge'] as const)
    app.post(`/v1/trigger-files/${verb}`, { schema: { body } }, async ({ body }) => {
      const view: DeadLettersView = { messages: triggerFiles[verb](body.path) };
      return view;
    });
};
