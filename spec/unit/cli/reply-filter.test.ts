import { describe, expect, it } from 'vitest';
import { conditions, filterOf, outcomeFields, workerFields } from '../../../src/cli/support/reply-filter.ts';

const reply = {
  node: 'lb01.example.com',
  result: 'failed',
  exit_code: 6,
  reason: null,
  duration_ms: 1_500,
  details: { puppet: { changed: 4, noop: false, tags: 'a = b', list: ['x'] } },
};

const read = (...texts: string[]) => {
  const parse = conditions(outcomeFields);
  return filterOf(texts.reduce<ReturnType<typeof parse>>((before, text) => parse(text, before), []));
};

describe('a condition of --filter-replies', () => {
  it.each([
    ['result=failed', true],
    ['result==failed', true],
    [' result = failed ', true],
    ['result=fail', false],
    ['result!=succeeded', true],
    ['result!=failed', false],
    ['exit_code=6', true],
    ['exit_code!=0', true],
    ['exit_code>5', true],
    ['exit_code>6', false],
    ['exit_code>=6', true],
    ['exit_code<=5', false],
    ['duration_ms<2000', true],
    ['node=~^lb', true],
    ['node=~lb$', false],
    ['node!~^web', true],
    ['reason=', true],
    ['reason!=x', true],
    ['reason=~.', false],
    ['reason>-1', false],
    ['signal=', true],
    ['details.puppet.changed>0', true],
    ['details.puppet.changed>4', false],
    ['details.puppet.noop=false', true],
    ['details.puppet.tags=a = b', true],
    ['details.puppet.list=["x"]', true],
    ['details.puppet.constructor=', true],
    ['details.service.changed>0', false],
    ['details.puppet.changed.more=', true],
  ])('the condition %s holds: %s', (text, holds) => expect(read(text)?.(reply)).toBe(holds));

  it('a condition that is one of several must hold with all of them', () => {
    expect(read('result=failed', 'node=~^lb')?.(reply)).toBe(true);
    expect(read('result=failed', 'node=~^web')?.(reply)).toBe(false);
  });

  it.each([
    ['failed', /^Expected FIELD=VALUE/],
    ['=failed', /^Expected FIELD=VALUE/],
    ['result~failed', /^Expected FIELD=VALUE/],
    ['worker=lb01', /^There is no field worker; the fields are node, stage, /],
    ['result.x=1', /^result has no fields; only details has/],
    ['node=~[', /^Not a regular expression/],
    ['exit_code>many', /^> compares numbers, and 'many' is none/],
    ['exit_code<', /^< compares numbers/],
  ])('the condition %j is refused with the reason and an example', (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow("Example: --filter-replies 'exit_code!=0'");
  });

  it('a condition of a request has the worker in the place of the node', () => {
    const parse = conditions(workerFields);
    expect(filterOf(parse('worker=w1'))?.({ worker: 'w1' })).toBe(true);
    expect(() => parse('node=w1')).toThrow('There is no field node');
  });

  it('without a condition nothing is filtered', () => expect(filterOf(undefined)).toBeUndefined());
});
