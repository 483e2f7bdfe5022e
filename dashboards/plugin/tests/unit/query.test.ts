import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  choiceOf,
  choose,
  interpolate,
  keyOf,
  missing,
  type RecoupQuery,
  runnable,
  withFilter,
  withLimit,
} from '../../src/query';

const asked: RecoupQuery = {
  refId: 'A',
  queryType: 'question',
  question: 'loss',
  filters: { seller: 'acme-fr' },
  limit: 9,
};

/** What getTemplateSrv().replace does, for variables of one or several values. */
function replaceIn(variables: Record<string, string | string[]>) {
  return (text: string, join: (value: string | string[]) => string) =>
    text.replace(/\$(\w+)/g, (whole, name: string) => (name in variables ? join(variables[name]!) : whole));
}

test('a variable of several values becomes several entries, of one value stays one', () => {
  const query = { ...asked, filters: { seller: '$seller', cause: ['$cause', 'quantity'] } };
  const filled = interpolate(query, replaceIn({ seller: 'acme, fr', cause: ["it's", 'discount'] }));
  assert.deepEqual(filled.filters, { seller: 'acme, fr', cause: ["it's", 'discount', 'quantity'] });
});

test('an old query without a type is a question once it is sent', () => {
  assert.equal(interpolate({ refId: 'A', question: 'loss' }, (text) => text).queryType, 'question');
});

test('another choice keeps the filters it has, takes usual values, and drops the limit', () => {
  const usual = (filter: string) => (filter === 'invoice_id' ? '$invoice_id' : undefined);
  assert.deepEqual(choose(asked, { queryType: 'explain' }, ['seller', 'invoice_id'], usual), {
    refId: 'A',
    queryType: 'explain',
    filters: { seller: 'acme-fr', invoice_id: '$invoice_id' },
  });
});

test('every choice has a key of its own', () => {
  for (const choice of [{ queryType: 'question', question: 'loss' }, { queryType: 'explain' }] as const) {
    assert.deepEqual(choiceOf(keyOf(choice)), choice);
  }
});

test('filters of several values are lists, of one value are texts, and none is left out', () => {
  assert.deepEqual(withFilter(asked, 'cause', ['discount']).filters, { seller: 'acme-fr', cause: ['discount'] });
  assert.deepEqual(withFilter(asked, 'seller', ['acme-de']).filters, { seller: 'acme-de' });
  assert.deepEqual(withFilter(asked, 'seller', []).filters, {});
});

test('a limit is a whole number above 0, or there is none', () => {
  assert.equal(withLimit(asked, '250').limit, 250);
  for (const typed of ['', '0', '-3', '2.5', 'many']) {
    assert.equal('limit' in withLimit(asked, typed), false, typed);
  }
});

test('half-filled queries are not sent', () => {
  assert.equal(runnable({ refId: 'A', queryType: 'explain', filters: { seller: 'acme-fr' } }), false);
  assert.equal(runnable({ refId: 'A', queryType: 'explain', filters: { seller: 'acme-fr', invoice_id: '$id' } }), true);
  assert.equal(runnable({ refId: 'A', queryType: 'lag' }), true);
  assert.equal(runnable({ refId: 'A', question: '' }), false);
  assert.equal(runnable({ ...asked, hide: true }), false);
  assert.deepEqual(missing({ ...asked, filters: {} }, ['seller', 'currency', 'cause']), ['seller', 'currency']);
});
