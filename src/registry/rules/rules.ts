import type { Statement } from '../statements.ts';
import { addDefinition, countHits, deleteDefinition, listDefinitions, setDefinition } from './definition.ts';
import { addDirectory, deleteDirectory, listDirectories, setDirectory } from './directory.ts';
import { listRequests } from './history.ts';
import { addService, attachWorker, deleteService, detachWorker, listServices, setService } from './service.ts';
import {
  acceptInvitation,
  addTeam,
  declineInvitation,
  deleteTeam,
  inviteUser,
  listTeams,
  removeMember,
  setTeam,
} from './team.ts';
import type { Change, Of, Rule, Turn } from './turn.ts';
import { addUser, deleteUser, listUsers, revokeUser, setUser } from './user.ts';
import { addWorker, deleteWorker, listWorkers, rotateWorker, setWorker } from './worker.ts';

const rules: { readonly [Verb in Statement['verb']]: Rule<Of<Verb>> } = {
  'team.add': addTeam,
  'team.set': setTeam,
  'team.list': listTeams,
  'team.delete': deleteTeam,
  'team.invite': inviteUser,
  'team.accept': acceptInvitation,
  'team.decline': declineInvitation,
  'team.remove': removeMember,
  'user.add': addUser,
  'user.set': setUser,
  'user.revoke': revokeUser,
  'user.list': listUsers,
  'user.delete': deleteUser,
  'worker.add': addWorker,
  'worker.set': setWorker,
  'worker.rotate': rotateWorker,
  'worker.list': listWorkers,
  'worker.delete': deleteWorker,
  'service.add': addService,
  'service.set': setService,
  'service.attach': attachWorker,
  'service.detach': detachWorker,
  'service.list': listServices,
  'service.delete': deleteService,
  'definition.add': addDefinition,
  'definition.set': setDefinition,
  'definition.list': listDefinitions,
  'definition.delete': deleteDefinition,
  'definition.count': countHits,
  'directory.add': addDirectory,
  'directory.set': setDirectory,
  'directory.list': listDirectories,
  'directory.delete': deleteDirectory,
  'history.list': listRequests,
};

/** What this statement changes and answers. Pure. Throws `registry-*`. */
export const decide = (turn: Turn, statement: Statement): Change =>
  (rules[statement.verb] as Rule<Statement>)(turn, statement);
