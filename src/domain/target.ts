/** What requests wait for, as one word: a service or a worker of a team. Their names are of one namespace. */
export const targetOf = (team: string, name: string): string => `${team}/${name}`;

/** Team and name. Neither has a slash. */
export const partsOfTarget = (target: string): readonly [team: string, name: string] => {
  const [team = '', name = ''] = target.split('/');
  return [team, name];
};
