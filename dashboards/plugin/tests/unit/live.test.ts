import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { DataFrame } from '@grafana/data';

import { eachOnce } from '../../src/live';

/** A frame of records: [case, number, action]. */
function told(name: string, ...records: Array<[string, number, string]>): DataFrame {
  const fields = ['case_id', 'seq', 'action'].map((field, column) => ({
    name: field,
    config: {},
    type: 'other',
    values: records.map((record) => record[column]),
  }));
  return { name, refId: undefined, length: records.length, fields } as unknown as DataFrame;
}

test('a record of a case that comes twice is one row; another record of the case is one more', () => {
  const live = told('cases', ['c1', 1, 'open'], ['c2', 1, 'open'], ['c1', 1, 'open'], ['c1', 2, 'update'], ['c2', 1, 'open']);
  const { refId, length, fields } = eachOnce(live, 'A');
  assert.deepEqual(
    fields.map(({ name, values }) => [name, ...values]),
    [
      ['case_id', 'c1', 'c2', 'c1'],
      ['action', 'open', 'open', 'update'],
    ],
  );
  assert.deepEqual([refId, length], ['A', 3], 'it answers the query whose channel it is');
});

test('what is no frame of cases stays as it is', () => {
  const other = told('open_cases', ['c1', 1, 'open'], ['c1', 1, 'open']);
  assert.equal(eachOnce(other, 'A'), other);
});
