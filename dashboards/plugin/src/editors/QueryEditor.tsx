import type { GrafanaTheme2, QueryEditorProps } from '@grafana/data';
import { css } from '@emotion/css';
import {
  Alert,
  Button,
  Combobox,
  type ComboboxOption,
  Field,
  Input,
  LoadingPlaceholder,
  useStyles2,
} from '@grafana/ui';
import React, { useCallback, useEffect, useId, useMemo, useState } from 'react';

import { type Column, plain, type Question, sorted, wordsOf } from '../catalogue';
import type { RecoupDatasource } from '../datasource';
import { messageOf } from '../failure';
import type { Language } from '../language';
import {
  choiceOf,
  choose,
  keyOf,
  missing,
  type RecoupQuery,
  specials,
  takesSeveral,
  typeOf,
  valuesOf,
  withFilter,
  withLimit,
} from '../query';
import { columnMeanings } from '../meanings';
import type { Settings } from '../settings';
import { type Word, words } from '../words';
import { CasePanel } from './CasePanel';
import { ExplainPanel } from './ExplainPanel';
import { FilterField } from './FilterField';
import { Names, type Say, useLanguage } from './language';

type Props = QueryEditorProps<RecoupDatasource, RecoupQuery, Settings>;

/** QueryEditor asks in words: what to see, of whom, how much of it. */
export function QueryEditor(props: Props): React.JSX.Element {
  const { datasource } = props;
  const { say } = useLanguage();
  const [questions, setQuestions] = useState<Question[]>();
  const [error, setError] = useState<string>();
  const load = useCallback(() => {
    setError(undefined);
    datasource.questions().then(setQuestions, (failure: unknown) => setError(messageOf(failure)));
  }, [datasource]);
  useEffect(load, [load]);
  const names = useMemo(
    () => ({
      ...Object.assign({}, ...['option', 'outcome', 'status', 'state', 'cause'].map((column) => wordsOf(questions ?? [], column))),
      unknown: words.unknown, // alone it is a verdict, no word of a list
    }),
    [questions],
  );
  if (error !== undefined) {
    return (
      <Alert severity="error" title={say('unreachable')}>
        <p>{error}</p>
        <Button size="sm" variant="secondary" onClick={load}>
          {say('retry')}
        </Button>
      </Alert>
    );
  }
  if (!questions) {
    return <LoadingPlaceholder text={say('loading')} />;
  }
  return (
    <Names.Provider value={names}>
      <Asking {...props} questions={questions} />
    </Names.Provider>
  );
}

function Asking({ datasource, query, onChange, onRunQuery, data, questions }: Props & { questions: Question[] }) {
  const { language, say, name } = useLanguage();
  const styles = useStyles2(getStyles);
  const id = useId();
  const type = typeOf(query);
  const question = type === 'question' ? questions.find((one) => one.name === query.question) : undefined;
  const filters = filtersOf(query, questions);
  const required = (filter: string) =>
    type === 'question' ? !takesSeveral(filter) : Boolean(specials[type]?.required.includes(filter));
  const change = (next: RecoupQuery) => {
    onChange(next);
    if (missing(next, filtersOf(next, questions)).length === 0) {
      onRunQuery();
    }
  };
  const left = missing(query, filters);
  const seller = valuesOf(query, 'seller')[0];
  const help = question ? plain(question.help[language], say('likelihood')) : type in specials && say(`${type}Help` as Word);
  const acting = {
    datasource,
    seller: seller ?? '',
    known: Object.keys(wordsOf(questions, 'cause')),
    frames: data?.series.filter((frame) => frame.refId === query.refId),
    onActed: onRunQuery,
  };
  return (
    <div className={styles.editor}>
      <Field label={say('ask')} htmlFor={id} className={styles.tight}>
        <Combobox
          id={id}
          width={60}
          options={choices(questions, language, say)}
          value={keyOf(query)}
          onChange={({ value }) => {
            const choice = choiceOf(value);
            change(choose(query, choice, filtersOf(choice, questions), (filter) => datasource.usual(filter)));
          }}
        />
      </Field>
      <p className={styles.help}>{help}</p>
      {question && <Columns question={question} />}
      <div className={styles.filters}>
        {filters.map((filter) => (
          <FilterField
            key={`${keyOf(query)} ${filter}`}
            datasource={datasource}
            filter={filter}
            values={valuesOf(query, filter)}
            onChange={(values) => change(withFilter(query, filter, values))}
            seller={filter === 'seller' ? undefined : seller}
            required={required(filter)}
          />
        ))}
        {(question || type === 'cases') && <Limit query={query} onChange={change} usual={question?.maxRows} />}
      </div>
      {left.length > 0 && <p role="status">{say('missing', { filters: left.map(name).join(', ') })}</p>}
      {type === 'explain' && left.length === 0 && <ExplainPanel {...acting} />}
      {type === 'cases' && left.length === 0 && <CasePanel {...acting} />}
    </div>
  );
}

/** filtersOf returns what a choice can be narrowed to, in the order in which it is filled in. */
function filtersOf(choice: Pick<RecoupQuery, 'queryType' | 'question'>, questions: Question[]): string[] {
  const special = specials[choice.queryType ?? 'question'];
  if (special) {
    return [...special.required, ...special.optional];
  }
  return questions.find(({ name }) => name === choice.question)?.filters ?? [];
}

function choices(questions: Question[], language: Language, say: Say): Array<ComboboxOption<string>> {
  return [
    ...sorted(questions, language).map((question) => ({
      value: keyOf({ queryType: 'question', question: question.name }),
      label: question.title[language],
      group: say('questions'),
    })),
    ...Object.keys(specials).map((special) => ({
      value: special,
      label: say(special as Word),
      group: say('details'),
    })),
  ];
}

/** What a number of a unit is. */
const meanings: Record<string, Word> = {
  percentunit: 'aShare',
  s: 'inSeconds',
  h: 'inHours',
  none: 'anAmount',
};

/** Columns tells what each column of the answer means; the ends of a band belong to the number they are about. */
function Columns({ question }: { question: Question }) {
  const { language, say } = useLanguage();
  const styles = useStyles2(getStyles);
  const meaning = ({ name, kind, unit, words: codes }: Column) => {
    if (codes) {
      return say('oneOf', { values: [...new Set(Object.values(codes).map((text) => text[language]))].join(', ') });
    }
    const what: Word = kind === 'number' ? (meanings[unit] ?? 'aNumber') : kind === 'time' ? 'aTime' : 'aText';
    const told = columnMeanings[name]?.[language] ?? say(what);
    const banded = question.columns.some((other) => other.low && other.name === `${name}_low`);
    return `${told}${banded ? ` ${say('banded')}` : ''}`;
  };
  return (
    <details className={styles.columns}>
      <summary>{say('columns')}</summary>
      <dl>
        {question.columns
          .filter(({ low, high }) => !low && !high)
          .map((column) => (
            <div key={column.name}>
              <dt>{plain(column.title[language], say('likelihood'))}</dt>
              <dd>{meaning(column)}</dd>
            </div>
          ))}
      </dl>
    </details>
  );
}

interface LimitProps {
  query: RecoupQuery;
  onChange: (query: RecoupQuery) => void;
  /** Rows when nothing is typed. */
  usual?: number;
}

/** Limit is applied when the field is left: each digit would be a query of its own. */
function Limit({ query, onChange, usual }: LimitProps) {
  const { say } = useLanguage();
  const styles = useStyles2(getStyles);
  const id = useId();
  return (
    <Field label={say('limit')} htmlFor={id} className={styles.tight}>
      <Input
        key={keyOf(query)}
        id={id}
        type="number"
        min={1}
        width={14}
        placeholder={usual ? String(usual) : undefined}
        defaultValue={query.limit}
        onBlur={(event) => {
          const next = withLimit(query, event.currentTarget.value);
          if (next.limit !== query.limit) {
            onChange(next);
          }
        }}
      />
    </Field>
  );
}

function getStyles(theme: GrafanaTheme2) {
  return {
    tight: css({ marginBottom: 0 }),
    editor: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1), maxWidth: '72rem' }),
    help: css({ margin: 0, color: theme.colors.text.secondary, maxWidth: '60rem' }),
    filters: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(2), alignItems: 'flex-start' }),
    columns: css({
      color: theme.colors.text.secondary,
      '& dl': { margin: theme.spacing(1, 0, 0, 2) },
      '& dl > div': { display: 'flex', gap: theme.spacing(2) },
      '& dt': { flex: '0 0 14rem', fontWeight: 'normal', color: theme.colors.text.primary },
      '& dt::first-letter': { textTransform: 'uppercase' },
      '& dd': { margin: 0 },
    }),
  };
}
