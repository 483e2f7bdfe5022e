import type { DataQuery } from '@grafana/schema';

import type { Language } from './language';

/** What a query asks for; without one it is a question. */
export type QueryType = 'question' | 'explain' | 'baseline' | 'lag' | 'cases' | 'annotations' | 'values';

/** Values by filter: one text, or several. A text may be a variable of the dashboard, $seller. */
export type Filters = Record<string, string | string[]>;

/** RecoupQuery is what a panel, an alert rule or an annotation stores. */
export interface RecoupQuery extends DataQuery {
  queryType?: QueryType;
  /** Name of a question of the catalogue; of queryType "question" only. */
  question?: string;
  filters?: Filters;
  /** Rows at most, never more than the data source's row limit. */
  limit?: number;
  /** Language of titles; by default the reader's. */
  lang?: Language;
  /** The filter whose values a variable of the dashboard lists; of queryType "values" only. */
  filter?: string;
}

/** What each special query is narrowed to; the first ones are required. */
export const specials: Record<string, { required: string[]; optional: string[] }> = {
  explain: { required: ['seller', 'invoice_id'], optional: [] },
  baseline: { required: ['seller', 'segment'], optional: [] },
  lag: { required: [], optional: [] },
  cases: { required: ['seller'], optional: [] },
  annotations: { required: [], optional: ['seller', 'kinds'] },
};

/** Kinds of events that can be marked on graphs. */
export const eventKinds = ['incident', 'model', 'release'] as const;

/** Filters that take several values; none means all. The others take exactly one. */
const several = new Set(['customer_type', 'product_family', 'cause', 'kinds']);

export function takesSeveral(filter: string): boolean {
  return several.has(filter);
}

export function typeOf(query: RecoupQuery): QueryType {
  return query.queryType ?? 'question';
}

/** valuesOf returns the values of a filter, without empty ones. */
export function valuesOf(query: RecoupQuery, filter: string): string[] {
  return [query.filters?.[filter] ?? []].flat().filter((value) => value !== '');
}

/** withFilter returns the query with other values of one filter; none removes it. */
export function withFilter(query: RecoupQuery, filter: string, values: string[]): RecoupQuery {
  const { [filter]: _, ...rest } = query.filters ?? {};
  if (values.length === 0) {
    return { ...query, filters: rest };
  }
  return { ...query, filters: { ...rest, [filter]: takesSeveral(filter) ? values : values[0]! } };
}

/** withLimit returns the query with a limit as a person typed it; what is no whole number above 0 removes it. */
export function withLimit(query: RecoupQuery, typed: string): RecoupQuery {
  const limit = Number(typed);
  const { limit: _, ...rest } = query;
  return Number.isInteger(limit) && limit > 0 ? { ...rest, limit } : rest;
}

/**
 * choose turns the query to another question or special query. Values of filters
 * stay; usual tells the value of a filter without one, if there is a usual one.
 */
export function choose(
  query: RecoupQuery,
  choice: Choice,
  filters: string[],
  usual: (filter: string) => string | undefined,
): RecoupQuery {
  const { question: _, limit: __, ...rest } = query;
  const chosen: RecoupQuery = { ...rest, ...choice, filters: {} };
  for (const filter of filters) {
    const kept = valuesOf(query, filter);
    const value = kept[0] ?? usual(filter);
    if (value !== undefined) {
      chosen.filters![filter] = !takesSeveral(filter) ? value : kept.length > 0 ? kept : [value];
    }
  }
  return chosen;
}

/** Choice is an entry of the list of everything that can be asked. */
export interface Choice {
  queryType: QueryType;
  question?: string;
}

/** keyOf names a choice, or the choice of a query. */
export function keyOf(choice: Pick<RecoupQuery, 'queryType' | 'question'>): string {
  const type = choice.queryType ?? 'question';
  return type === 'question' ? `question ${choice.question ?? ''}` : type;
}

/** choiceOf is the reverse of keyOf. */
export function choiceOf(key: string): Choice {
  const [queryType, question] = key.split(' ');
  return question ? { queryType: 'question', question } : { queryType: queryType as QueryType };
}

/** missing returns the required filters that have no value yet. */
export function missing(query: RecoupQuery, filters: string[]): string[] {
  const type = typeOf(query);
  const required = type === 'question' ? filters.filter((filter) => !takesSeveral(filter)) : specials[type]?.required;
  return (required ?? []).filter((filter) => valuesOf(query, filter).length === 0);
}

/** runnable tells whether a query is worth sending: half-filled ones wait for their values. */
export function runnable(query: RecoupQuery): boolean {
  if (query.hide) {
    return false;
  }
  return typeOf(query) === 'question' ? Boolean(query.question) : missing(query, []).length === 0;
}

/** Replaces the variables in a text; join tells how the values of one variable become one text. */
export type Replace = (text: string, join: (value: string | string[]) => string) => string;

/** Parts the values of a variable while they are one text; no value holds it. */
const separator = '\u001f';

/** interpolate replaces the variables in all filters; one of several values becomes several entries. */
export function interpolate(query: RecoupQuery, replace: Replace): RecoupQuery {
  const filters: Filters = {};
  for (const filter of Object.keys(query.filters ?? {})) {
    const values = valuesOf(query, filter).flatMap((text) =>
      replace(text, (value) => [value].flat().join(separator)).split(separator),
    );
    filters[filter] = takesSeveral(filter) ? values : (values[0] ?? '');
  }
  return { ...query, queryType: typeOf(query), filters };
}
