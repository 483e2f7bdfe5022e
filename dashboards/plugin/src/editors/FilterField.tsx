import { Combobox, type ComboboxOption, Field, FieldValidationMessage, Label, MultiCombobox } from '@grafana/ui';
import { css } from '@emotion/css';
import React, { useContext, useEffect, useId, useState } from 'react';

import type { RecoupDatasource } from '../datasource';
import { messageOf } from '../failure';
import { takesSeveral } from '../query';
import { Names, useLanguage } from './language';

/** No margin below: the fields stand in a row. */
const tight = css({ marginBottom: 0 });

interface Props {
  datasource: RecoupDatasource;
  /** The filter, as the catalogue names it. */
  filter: string;
  values: string[];
  onChange: (values: string[]) => void;
  /** The seller whose values are offered. */
  seller?: string;
  required: boolean;
}

/** FilterField lets choose a filter's values from a list, or type them; variables of the dashboard come first. */
export function FilterField({ datasource, filter, values, onChange, seller, required }: Props): React.JSX.Element {
  const { say, name } = useLanguage();
  const { options, error } = useOptions(datasource, filter, seller);
  const id = useId();
  const only = required && values.length === 0 && options.length === 1 ? options[0]!.value : undefined;
  useEffect(() => {
    if (only !== undefined) {
      onChange([only]); // nothing else could be chosen
    }
  }, [only]); // not onChange: it is new with each rendering
  const common = { id, options, createCustomValue: true, placeholder: required ? say('choose') : say('all') };
  if (!takesSeveral(filter)) {
    return (
      <Field label={name(filter)} htmlFor={id} error={error} invalid={error !== undefined} className={tight}>
        <Combobox
          {...common}
          width={30}
          isClearable
          value={values[0] ?? null}
          onChange={(chosen) => onChange(chosen ? [chosen.value] : [])}
        />
      </Field>
    );
  }
  // No Field: it would give its id to the box of every entry, and the label to the first of them.
  return (
    <div>
      <Label id={`${id}label`} htmlFor={id}>
        {name(filter)}
      </Label>
      <MultiCombobox
        {...common}
        aria-labelledby={`${id}label`}
        width={36}
        value={values}
        onChange={(chosen) => onChange(chosen.map(({ value }) => value))}
      />
      {error !== undefined && <FieldValidationMessage>{error}</FieldValidationMessage>}
    </div>
  );
}

/** useOptions reads the values of a filter; without them people can still type. */
function useOptions(datasource: RecoupDatasource, filter: string, seller: string | undefined) {
  const { language, say } = useLanguage();
  const names = useContext(Names);
  const [options, setOptions] = useState<Array<ComboboxOption<string>>>([]);
  const [error, setError] = useState<string>();
  useEffect(() => {
    let current = true;
    const variables = datasource
      .variableNames()
      .map((variable) => ({ value: `$${variable}`, label: `$${variable}`, description: say('variable') }));
    datasource
      .values(filter, seller)
      .then((found) =>
        found.map(({ value, text }) => ({
          value,
          label: text && text !== value ? text : (names[value]?.[language] ?? value),
        })),
      )
      .then(
        (found) => current && (setOptions([...variables, ...found]), setError(undefined)),
        (failure: unknown) => current && (setOptions(variables), setError(messageOf(failure))),
      );
    return () => {
      current = false;
    };
  }, [datasource, filter, seller, say, names, language]);
  return { options, error };
}
