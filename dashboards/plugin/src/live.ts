import type { DataFrame, DataQueryRequest, DataQueryResponse } from '@grafana/data';
import { map, merge, type Observable } from 'rxjs';

import { type RecoupQuery, typeOf } from './query';

/** Column that numbers the records of a case; nobody needs to see it. */
const numbers = 'seq';

type Request = DataQueryRequest<RecoupQuery>;

/**
 * apart asks for live cases in a request of their own, a query each: what comes on a channel does not say which
 * query it answers. All else is asked at once.
 */
export function apart(request: Request, ask: (request: Request) => Observable<DataQueryResponse>) {
  const live = request.targets.filter((query) => typeOf(query) === 'cases');
  const others = request.targets.filter((query) => typeOf(query) !== 'cases');
  const answers: Array<Observable<DataQueryResponse>> = live.map((query) => {
    const { refId } = query;
    const own = `${refId} ${request.requestId}`; // Grafana ends a request when another of its name begins
    return ask({ ...request, targets: [query], requestId: own }).pipe(
      map((answer) => ({
        ...answer,
        key: `${refId} ${answer.key ?? ''}`, // Grafana keeps one answer of each key
        data: answer.data.map((frame) => eachOnce(frame, refId)),
      })),
    );
  });
  if (others.length > 0 || live.length === 0) {
    answers.unshift(ask({ ...request, targets: others }));
  }
  return merge(...answers);
}

/**
 * eachOnce leaves every record of a case in a frame of cases once. The channel of live cases begins some seconds
 * before the answer that it continues, so that none is missed: those that the answer had come a second time.
 */
export function eachOnce(frame: DataFrame, refId: string): DataFrame {
  const values = (name: string) => frame.fields.find((field) => field.name === name)?.values;
  const cases = values('case_id');
  const records = values(numbers);
  if (frame.name !== 'cases' || !cases || !records) {
    return frame;
  }
  const seen = new Set<string>();
  const kept: number[] = [];
  for (let row = 0; row < frame.length; row++) {
    const record = `${cases[row]} ${records[row]}`;
    if (!seen.has(record)) {
      seen.add(record);
      kept.push(row);
    }
  }
  return {
    name: frame.name,
    refId,
    meta: frame.meta,
    length: kept.length,
    fields: frame.fields
      .filter(({ name }) => name !== numbers)
      .map(({ nanos, ...field }) => ({
        ...field,
        values: kept.map((row) => field.values[row]),
        ...(nanos && { nanos: kept.map((row) => nanos[row]!) }),
      })),
  };
}
