import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chance, fill, languageOf, money, percent } from '../../src/language';
import { columnMeanings } from '../../src/meanings';
import { words } from '../../src/words';

test('French is for readers of French, English for all others', () => {
  assert.deepEqual(['fr', 'fr-CA', 'FR-fr', 'en-US', 'de', '', undefined].map(languageOf), [
    'fr',
    'fr',
    'fr',
    'en',
    'en',
    'en',
    'en',
  ]);
});

test('every word is there in both languages, with the same places to fill', () => {
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [word, { en, fr }] of Object.entries({ ...words, ...columnMeanings })) {
    assert.ok(en && fr, word);
    assert.deepEqual(places(fr), places(en), word);
  }
});

test('money is written with its currency, whatever that is', () => {
  assert.equal(money(1234.5, 'EUR', 'en'), '€1,234.50');
  assert.equal(money(1234.5, 'EUR', 'fr').replace(/\s/g, ' '), '1 234,50 €');
  assert.equal(money(2, 'points', 'en'), '2.00 points');
  assert.equal(percent(0.9712, 'en'), '97.1%');
  assert.deepEqual(
    [0.999, 0.5, 0.001].map((p) => chance(p, 'en')),
    ['>99%', '50%', '<1%'],
  );
  assert.equal(fill('{a} of {b}', { a: 1 }), '1 of {b}');
});
