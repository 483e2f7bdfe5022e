import { createContext, useCallback, useContext } from 'react';

import { fill, type Language, type Text } from '../language';
import { readersLanguage } from '../reader';
import { isWord, type Word, words } from '../words';

/** Say writes a word in the reader's language, with values in the place of {name}. */
export type Say = (word: Word, values?: Record<string, string | number>) => string;

/** What the backend calls its codes: causes, states and ways to settle. */
export const Names = createContext<Record<string, Text>>({});

/** useLanguage returns the reader's language, how to say things in it, and how to name codes. */
export function useLanguage(): { language: Language; say: Say; name: (code: string) => string } {
  const language = readersLanguage();
  const names = useContext(Names);
  const say = useCallback<Say>((word, values) => fill(words[word][language], values ?? {}), [language]);
  // A code without a name is shown as it is, without underscores.
  const name = useCallback(
    (code: string) => names[code]?.[language] ?? (isWord(code) ? say(code) : code.replaceAll('_', ' ')),
    [names, language, say],
  );
  return { language, say, name };
}
