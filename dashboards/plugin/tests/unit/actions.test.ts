import assert from 'node:assert/strict';
import { test } from 'node:test';

import { accepts, bodyOf, eventId, fieldsOf } from '../../src/actions';

const correct = fieldsOf('confirm', 'invoice').find(({ key }) => key === 'correct_amount')!;
const paid = fieldsOf('recovered', 'invoice').find(({ key }) => key === 'amount')!;

test('amounts are exact: at most four places, in either notation', () => {
  for (const typed of ['49.9', '49,90', '1 234,5', '0.0001']) {
    assert.ok(accepts(correct, typed) && accepts(paid, typed), typed);
  }
  for (const typed of ['1.23456', '1e3', 'ten', '1,234.50', '1.2.3', '-', '--1']) {
    assert.ok(!accepts(correct, typed) && !accepts(paid, typed), typed);
  }
});

test('a duplicate should have been 0, a credit note below; money that came back is above', () => {
  for (const typed of ['0', '0,00', '-1', '−12.50']) {
    assert.ok(accepts(correct, typed), typed);
    assert.ok(!accepts(paid, typed), typed);
  }
});

test('the correct amount is required, but not of cases that have none; all that is owed may have come back', () => {
  assert.ok(!accepts(correct, ''));
  assert.ok(accepts(paid, ''));
  assert.deepEqual(
    fieldsOf('confirm', 'incident').map(({ key }) => key),
    ['true_cause'],
  );
});

test('an action sends what it asks for and nothing else, amounts as text', () => {
  const details = { true_cause: 'discount', correct_amount: '1 234,50', amount: '7', option: '' };
  assert.deepEqual(bodyOf(fieldsOf('confirm', 'invoice'), 'acme-fr', 'e1', details), {
    seller: 'acme-fr',
    event_id: 'e1',
    true_cause: 'discount',
    correct_amount: '1234.50',
  });
  const none = { seller: 'acme-fr', event_id: 'e1' };
  assert.deepEqual(bodyOf(fieldsOf('false_alarm', 'invoice'), 'acme-fr', 'e1', details), none);
  assert.deepEqual(bodyOf(fieldsOf('recovered', 'rate'), 'acme-fr', 'e1', details), { ...none, amount: '7' });
});

test('event ids are random UUIDs', () => {
  assert.match(eventId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(eventId(), eventId());
});
