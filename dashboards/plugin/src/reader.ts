import { config } from '@grafana/runtime';

import { type Language, languageOf } from './language';

/** The reader's language: that of their Grafana profile, else of their browser. */
export function readersLanguage(): Language {
  return languageOf(config.bootData?.user?.language || navigator.language);
}

/** Whether the reader may act on cases: a hint for the buttons, the backend decides. */
export function mayAct(): boolean {
  const user = config.bootData?.user;
  return Boolean(user?.isGrafanaAdmin) || user?.orgRole === 'Editor' || user?.orgRole === 'Admin';
}
