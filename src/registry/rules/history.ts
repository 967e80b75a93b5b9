import type { RequestRecord } from '../../domain/request-record.ts';
import { type Access, accessTo } from './access.ts';
import type { RuleContext, Rules } from './rule-context.ts';

export const historyRules: Rules<'history'> = {
  /**
   * Which requests of the team's users the actor may see: an admin all; a member those that he made, for himself or on behalf of others, and those to services
   * and workers that he may see at this moment. The records themselves are no matter of this rule.
   */
  'history.list': (context, { team }) => {
    const access = accessTo(context, team);
    const shows = access.role === 'admin' ? () => true : showsMember(context, access);
    return { writes: [], rows: [], shows };
  },
};

const showsMember =
  ({ registry, actor }: RuleContext, access: Access) =>
  (record: RequestRecord): boolean => {
    const { user: identity, service_team: team, service: name } = record;
    const user = actor.kind === 'user' ? registry.users.get(actor.identity) : undefined;
    if (user !== undefined && isOf(record, user) && (user.identity === identity || isThrough(record, user, access)))
      return true;
    const { services, workers } = registry.holdings(team);
    const service = services.get(name);
    if (team !== access.team.name) return service?.visibility === 'public' && isOf(record, service);
    if (service !== undefined) return access.maySee(service) && isOf(record, service);
    const worker = workers.get(name);
    return worker !== undefined && access.mayChange(worker) && isOf(record, worker);
  };

/** Whether a job of this user made the request on behalf of another user. */
const isThrough = ({ through = [] }: RequestRecord, { identity }: { readonly identity: string }, { team }: Access) =>
  through.includes(`${identity}@${team.name}`);

/** Whether user or service existed at the time of the request: a later namesake sees none of the earlier requests. */
const isOf = ({ received_at }: RequestRecord, { created_at }: { readonly created_at: string }): boolean =>
  Date.parse(received_at) >= Date.parse(created_at);
