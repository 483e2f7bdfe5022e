import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { DataFrame } from '@grafana/data';

import { casesOf, explanationOf, scaleOf } from '../../src/explanation';

function frame(name: string, row: Record<string, unknown>): DataFrame {
  const fields = Object.entries(row).map(([field, value]) => ({
    name: field,
    values: [value],
    config: {},
    type: 'other',
  }));
  return { name, length: 1, fields } as unknown as DataFrame;
}

test('amounts are read as numbers and as exact texts', () => {
  const read = explanationOf([
    frame('invoice', { billed: '32.4000', expected: 100, expected_low: '96.2', expected_high: 104, currency: 'EUR' }),
    frame('causes', { code: 'discount', kind: 'a rebate twice', p: 0.81, evidence: 'too much', repaired_amount: '100.0000' }),
    frame('case', { case_id: 'c1', state: 'open', outcome: '' }),
  ])!;
  assert.deepEqual([read.billed, read.expected, read.low, read.high], [32.4, 100, 96.2, 104]);
  const [cause] = read.causes;
  assert.deepEqual(cause, {
    code: 'discount',
    kind: 'a rebate twice',
    share: 0.81,
    evidence: 'too much',
    repaired: 100,
  });
  assert.equal(read.case?.id, 'c1');
  assert.deepEqual(
    read.facts.map(({ title }) => title),
    ['billed', 'expected', 'expected_low', 'expected_high', 'currency', 'case_id', 'state'],
  );
});

test('codes among the facts are said in the words of their field', () => {
  const told = frame('case', { state: 'acknowledged', outcome: 'new_code' });
  told.fields[0]!.config.mappings = [{ type: 'value', options: { acknowledged: { text: 'Pris en charge' } } }] as never;
  const { facts } = explanationOf([frame('invoice', { billed: 5 }), told])!;
  assert.deepEqual(
    facts.map(({ value }) => value),
    [5, 'Pris en charge', 'new_code'],
  );
});

test('no expectation, no cause and no case are told, not made up', () => {
  const read = explanationOf([frame('invoice', { billed: 5, expected: null, expected_low: '', currency: 'EUR' })])!;
  assert.deepEqual([read.expected, read.low, read.causes, read.case], [undefined, undefined, [], undefined]);
});

test('without an invoice there is no explanation', () => {
  assert.equal(explanationOf([]), undefined);
  assert.equal(explanationOf([frame('invoice', { billed: null })]), undefined);
});

test('a case that was told several times is one, as it was told last', () => {
  const told = ['time', 'case_id', 'kind', 'status', 'outcome', 'summary', 'cause'];
  const lines = [
    [1, 'c1', 'rate', '', '', 'too few', ''],
    [3, 'c2', 'incident', '', '', 'many', 'discount'],
    [2, 'c1', 'rate', 'decided', 'confirmed_error', 'too few', ''],
  ];
  const fields = told.map((name, column) => ({ name, values: lines.map((line) => line[column]) }));
  assert.deepEqual(casesOf([{ name: 'cases', length: lines.length, fields } as unknown as DataFrame]), [
    { id: 'c2', kind: 'incident', state: 'open', summary: 'many', cause: 'discount' },
    { id: 'c1', kind: 'rate', state: 'confirmed_error', summary: 'too few', cause: '' },
  ]);
});

test('every amount has its place on the picture, in order, also when all are equal or 0', () => {
  for (const amounts of [[-20, 32, 96, 104], [5, 5], [0]]) {
    const places = amounts.map(scaleOf(amounts).at);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    assert.ok(
      places.every((place) => place > 0 && place < 100),
      `${amounts}: ${places}`,
    );
  }
});
