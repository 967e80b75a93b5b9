import * as v from 'valibot';
import type { DeadLettersView } from '../contract/trigger-files.ts';
import { get, post, type Route } from '../route.ts';
import { text } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';

const body = v.strictObject({ path: v.optional(text(4_096)) });

/** What was written to trigger files on this node; a path means one file, none means all. */
export const triggerFileRoutes = ({ triggerFiles }: Pick<ApiServices, 'triggerFiles'>): Route[] => [
  get('/v1/trigger-files', {}, () => triggerFiles.list()),
  ...(['replay', 'purge'] as const).map((verb) =>
    post(
      `/v1/trigger-files/${verb}`,
      { body },
      ({ body }): DeadLettersView => ({ messages: triggerFiles[verb](body.path) }),
    ),
  ),
];
