import {
  CustomVariableSupport,
  type DataQueryRequest,
  type DataQueryResponse,
  type QueryEditorProps,
} from '@grafana/data';
import { css } from '@emotion/css';
import { Combobox, Field, Stack } from '@grafana/ui';
import React, { useId } from 'react';
import { from, map, type Observable } from 'rxjs';

import type { RecoupDatasource } from '../datasource';
import { type RecoupQuery, valuesOf, withFilter } from '../query';
import type { Settings } from '../settings';
import { FilterField } from './FilterField';
import { useLanguage } from './language';

type Props = QueryEditorProps<RecoupDatasource, RecoupQuery, Settings>;

/** No margin below: the fields stand in a row. */
const tight = css({ marginBottom: 0 });

/** Filters whose values a variable can list. */
const listable = ['seller', 'currency', 'customer_type', 'product_family', 'cause'];

/** VariableEditor chooses which values a variable of a dashboard offers. */
export function VariableEditor({ datasource, query, onChange }: Props): React.JSX.Element {
  const { say, name } = useLanguage();
  const id = useId();
  const asked: RecoupQuery = { ...query, queryType: 'values' };
  return (
    <Stack gap={2} wrap="wrap">
      <Field label={say('listed')} htmlFor={id} className={tight}>
        <Combobox
          id={id}
          width={30}
          placeholder={say('choose')}
          options={listable.map((filter) => ({ value: filter, label: name(filter) }))}
          value={query.filter ?? null}
          onChange={({ value }) => onChange({ ...asked, filter: value })}
        />
      </Field>
      {query.filter && query.filter !== 'seller' && (
        <FilterField
          datasource={datasource}
          filter="seller"
          values={valuesOf(query, 'seller')}
          onChange={(values) => onChange(withFilter(asked, 'seller', values))}
          required
        />
      )}
    </Stack>
  );
}

/** Variables lists the values of a filter as a variable of a dashboard. */
export class Variables extends CustomVariableSupport<RecoupDatasource, RecoupQuery, RecoupQuery, Settings> {
  editor = VariableEditor;

  constructor(private readonly datasource: RecoupDatasource) {
    super();
  }

  override getDefaultQuery(): Partial<RecoupQuery> {
    return { queryType: 'values' };
  }

  query(request: DataQueryRequest<RecoupQuery>): Observable<DataQueryResponse> {
    const [query] = request.targets;
    const values = query ? this.datasource.metricFindQuery(query, request) : Promise.resolve([]);
    return from(values).pipe(map((data) => ({ data })));
  }
}
