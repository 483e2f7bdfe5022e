import { useCallback } from 'react';

import { fill, type Language } from '../language';
import { readersLanguage } from '../reader';
import { isWord, type Word, words } from '../words';

/** Say writes a word in the reader's language, with values in the place of {name}. */
export type Say = (word: Word, values?: Record<string, string | number>) => string;

/** useLanguage returns the reader's language and how to say things in it. */
export function useLanguage(): { language: Language; say: Say; name: (name: string) => string } {
  const language = readersLanguage();
  const say = useCallback<Say>((word, values) => fill(words[word][language], values ?? {}), [language]);
  // Names of the backend that have no word are shown as they are, without underscores.
  const name = useCallback((known: string) => (isWord(known) ? say(known) : known.replaceAll('_', ' ')), [say]);
  return { language, say, name };
}
