import type { Language, Text } from './language';

/** Column is one column of an answer. */
export interface Column {
  name: string;
  kind: 'time' | 'label' | 'number';
  unit: string;
  title: Text;
  /** Lower and upper end of the band around the number before it. */
  low: boolean;
  high: boolean;
  /** What codes in it are called, by code. */
  words?: Record<string, Text>;
}

/** Question is something that can be asked of recoup's tables, as the backend describes it. */
export interface Question {
  name: string;
  title: Text;
  help: Text;
  shape: 'series' | 'table';
  filters: string[];
  /** Whether the time range of the panel narrows it. */
  timed: boolean;
  /** Rows of an answer unless the query sets a limit. */
  maxRows: number;
  columns: Column[];
}

/** Value is one value of a filter; text is shown in its place. */
export interface Value {
  value: string;
  text?: string;
}

/** Sorted by title, in the language of the reader; without those that fill drop-downs and annotations. */
export function sorted(questions: Question[], language: Language): Question[] {
  const asked = questions.filter(({ name }) => !/^(value|annotation)_/.test(name));
  return asked.sort((a, b) => a.title[language].localeCompare(b.title[language], language));
}

/** plain leaves out the numbers of indicators, which only the documentation knows, and says p_error in words. */
export function plain(text: string, likely: string): string {
  return text.replace(/ \(K\d+[a-z]?(, K\d+[a-z]?)*\)/g, '').replaceAll('p_error', likely);
}

/** wordsOf collects what the codes of a column are called, in whatever question it stands. */
export function wordsOf(questions: Question[], column: string): Record<string, Text> {
  const columns = questions.flatMap((question) => question.columns).filter(({ name }) => name === column);
  return Object.assign({}, ...columns.map(({ words }) => words));
}
