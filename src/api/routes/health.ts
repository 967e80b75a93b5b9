import { Answer, get, type Route } from '../route.ts';
import type { ApiServices } from '../services/services.ts';

/** How this daemon is: what anybody who reaches the HTTP port may read. */
export const healthRoutes = ({ health, metrics }: Pick<ApiServices, 'health' | 'metrics'>): Route[] => [
  get('/v1/health', {}, () => health()),
  get('/metrics', {}, async () => {
    const text = await metrics.text();
    return new Answer(200, { kind: 'text', type: metrics.contentType, text });
  }),
];
