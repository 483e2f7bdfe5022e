import type { DataFrame } from '@grafana/data';

/** Column that numbers the records of a case; nobody needs to see it. */
const numbers = 'seq';

/**
 * eachOnce leaves every record of a case in a frame of cases once. The channel of live cases begins some seconds
 * before the answer that it continues, so that none is missed: those that the answer had come a second time.
 */
export function eachOnce(frame: DataFrame, refId: string | undefined): DataFrame {
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
    refId: frame.refId ?? refId, // the records on the channel answer nobody's query
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
