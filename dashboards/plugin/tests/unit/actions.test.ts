import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bodyOf, eventId, isAmount } from '../../src/actions';

test('amounts are exact: at most four places, above 0, in either notation', () => {
  for (const typed of ['49.9', '49,90', '1 234,5', '0.0001']) {
    assert.ok(isAmount(typed, true), typed);
  }
  for (const typed of ['', '0', '-1', '1.23456', '1e3', 'ten', '1,234.50', '1.2.3']) {
    assert.equal(isAmount(typed, true), false, typed);
  }
  assert.ok(isAmount('', false), 'an amount that is not required may be left out');
});

test('an action sends what it asks for and nothing else, amounts as text', () => {
  const details = { true_cause: 'discount', correct_amount: '1 234,50', amount: '7', option: '' };
  assert.deepEqual(bodyOf('confirm', 'acme-fr', 'e1', details), {
    seller: 'acme-fr',
    event_id: 'e1',
    true_cause: 'discount',
    correct_amount: '1234.50',
  });
  assert.deepEqual(bodyOf('false_alarm', 'acme-fr', 'e1', details), { seller: 'acme-fr', event_id: 'e1' });
  assert.deepEqual(bodyOf('recovered', 'acme-fr', 'e1', details), { seller: 'acme-fr', event_id: 'e1', amount: '7' });
});

test('event ids are random UUIDs', () => {
  assert.match(eventId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(eventId(), eventId());
});
