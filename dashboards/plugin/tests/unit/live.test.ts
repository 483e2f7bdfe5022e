import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { DataFrame, DataQueryRequest, DataQueryResponse } from '@grafana/data';
import { from, lastValueFrom, of, toArray } from 'rxjs';

import { apart, eachOnce } from '../../src/live';
import type { RecoupQuery } from '../../src/query';

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

/** Answers what is asked as Grafana does: the records on a channel come without the refId of their query. */
function answered(targets: RecoupQuery[]): Promise<{ asked: string[][]; names: Set<string>; answers: DataQueryResponse[] }> {
  const asked: string[][] = [];
  const names = new Set<string>();
  const ask = (part: DataQueryRequest<RecoupQuery>) => {
    asked.push(part.targets.map(({ refId }) => refId));
    names.add(part.requestId);
    const [{ queryType, filters }] = part.targets as [RecoupQuery];
    if (queryType !== 'cases') {
      return of({ data: part.targets.map(({ refId }) => ({ ...told('figures'), refId })) });
    }
    const record = told('cases', [`of ${filters?.['seller']}`, 1, 'open']);
    return from([record, record].map((frame) => ({ key: 'channel', data: [frame] })));
  };
  const request = { targets, requestId: 'panel' } as DataQueryRequest<RecoupQuery>;
  return lastValueFrom(apart(request, ask).pipe(toArray())).then((answers) => ({ asked, names, answers }));
}

test('each of several live queries of a panel keeps its own name, and so do the figures beside them', async () => {
  const live = (refId: string, seller: string) => ({ refId, queryType: 'cases' as const, filters: { seller } });
  const { asked, names, answers } = await answered([
    live('A', 'acme'),
    { refId: 'B', question: 'loss' },
    live('C', 'bolt'),
    live('D', 'acme'),
  ]);
  assert.deepEqual(asked.toSorted(), [['A'], ['B'], ['C'], ['D']]);
  assert.equal(names.size, 4, 'no request ends another one');
  const seen = answers.map(({ key, data: [frame] }) => [frame.refId, frame.fields[0].values[0], key].join(', '));
  assert.deepEqual([...new Set(seen)].toSorted(), [
    'A, of acme, A channel',
    'B, , ',
    'C, of bolt, C channel',
    'D, of acme, D channel',
  ]);
});

test('without live queries one request asks for all', async () => {
  const { asked, names } = await answered([{ refId: 'A' }, { refId: 'B' }]);
  assert.deepEqual([asked, [...names]], [[['A', 'B']], ['panel']]);
});
