import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readPsych } from '../../../src/plugin/puppet/psych.ts';

/** Documents of texts that are hard to write as YAML, with the shapes that Puppet's reports have. */
const program = String.raw`
require 'yaml'; require 'json'
srand(Integer(ARGV[0]))
parts = ['a','Z','0',':',' ','  ',"\n",'-','#',"'",'"','\\','[',']','{','}','&','*','!','|','>','%','@','?','é','日',"\t","\u0001","\u0085",'true','null','~','=','word ','File[/etc/x]']
text = ->(n) { (0...rand(n)).map { parts.sample }.join }
puts JSON.generate(200.times.map {
  value = { 'counts' => {}, 'list' => [], 'logs' => [] }
  4.times { value['counts'][text.(8) + 'k'] = [text.(12), text.(120), rand(1000), rand * 100, true, false, nil, 1e-05, -3].sample }
  3.times { value['list'] << [text.(6), text.(60), [], {}].sample }
  2.times { value['logs'] << { 'message' => text.(200), 'tags' => [text.(5)], 'long ' * rand(60) => { 'x' => 1, 'y' => [text.(30)] } } }
  { yaml: value.to_yaml, value: value }
})`;

describe('YAML of Ruby', () => {
  it('YAML of Ruby is parsed as Ruby meant it', () => {
    const seed = Math.floor(Math.random() * 1e9);
    const written: { yaml: string; value: unknown }[] = JSON.parse(
      execFileSync('ruby', ['-e', program, String(seed)], { encoding: 'utf8', maxBuffer: 1e8 }),
    );
    expect(written).toHaveLength(200);
    for (const { yaml, value } of written)
      expect(JSON.parse(JSON.stringify(readPsych(yaml.split('\n')))), `seed ${seed}: ${yaml}`).toEqual(value);
  });
});
