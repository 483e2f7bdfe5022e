import type { DataFrame } from '@grafana/data';
import { Combobox, Field } from '@grafana/ui';
import React, { useId, useState } from 'react';

import type { RecoupDatasource } from '../datasource';
import { casesOf } from '../explanation';
import { CaseActions } from './CaseActions';
import { useLanguage } from './language';

interface Props {
  datasource: RecoupDatasource;
  seller: string;
  /** Codes of all causes there are. */
  known: string[];
  /** Frames of the cases query; undefined until it ran. */
  frames: DataFrame[] | undefined;
  /** Called after an action was written, to read the cases again. */
  onActed: () => void;
}

/** CasePanel lets choose one of the latest cases, of whatever kind, and act on it. */
export function CasePanel({ datasource, seller, known, frames, onActed }: Props): React.JSX.Element {
  const { say, name } = useLanguage();
  const [chosen, setChosen] = useState<string>();
  const id = useId();
  const cases = casesOf(frames ?? []);
  const found = cases.find((one) => one.id === chosen);
  return (
    <>
      <Field label={say('chooseCase')} htmlFor={id}>
        <Combobox
          id={id}
          width={100}
          placeholder={say('choose')}
          options={cases.map((one) => ({
            value: one.id,
            label: one.summary || one.id,
            description: name(one.state),
          }))}
          value={chosen ?? null}
          onChange={({ value }) => setChosen(value)}
        />
      </Field>
      {found && (
        <CaseActions
          key={found.id}
          datasource={datasource}
          seller={datasource.resolve(seller)}
          found={found}
          causes={[...new Set([found.cause, ...known])].filter(Boolean)}
          onActed={onActed}
        />
      )}
    </>
  );
}
