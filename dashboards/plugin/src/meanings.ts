import type { Text } from './language';

/** What columns mean that their title does not explain, by name; each means the same in all questions. */
export const columnMeanings: Record<string, Text> = {
  found: {
    en: 'Invoices that recoup suspects or people confirmed.',
    fr: 'Factures que recoup suspecte ou que des gens ont confirmées.',
  },
  confirmed_errors: {
    en: 'Invoices that a person found to be wrong.',
    fr: 'Factures qu’une personne a jugées fausses.',
  },
  confirmed_rate: {
    en: 'Invoices that a person found to be wrong, as a share of those issued.',
    fr: 'Factures qu’une personne a jugées fausses, en part des factures émises.',
  },
  live_rate: {
    en: 'Share of wrong invoices that recoup expects, before anybody looked.',
    fr: 'Part de factures fausses que recoup attend, avant tout examen.',
  },
  confirmed_loss: {
    en: 'Money at stake in the errors that people confirmed.',
    fr: 'Argent en jeu dans les erreurs confirmées.',
  },
  open_loss: {
    en: 'Money at stake in what nobody decided yet, times how likely it is wrong.',
    fr: 'Argent en jeu dans ce que personne n’a décidé, fois la probabilité d’une erreur.',
  },
  stake: { en: 'Money that an error would be about.', fr: 'Argent dont il s’agirait en cas d’erreur.' },
  recovered: { en: 'Cash that customers paid back.', fr: 'Argent encaissé auprès des clients.' },
  goodwill: {
    en: 'What was given to customers as a gesture, such as a rebate.',
    fr: 'Ce qui a été accordé aux clients en geste commercial, comme une remise.',
  },
  handling: { en: 'What it cost to work the cases.', fr: 'Ce qu’a coûté le traitement des dossiers.' },
  net: { en: 'Recovered, less gestures and handling.', fr: 'Récupéré, moins gestes et traitement.' },
  p_error: {
    en: 'How likely the invoice is wrong, from 0 to 100 %.',
    fr: 'Probabilité que la facture soit fausse, de 0 à 100 %.',
  },
  precision: {
    en: 'Alerts that were right, as a share of those that people decided.',
    fr: 'Alertes justes, en part de celles qui ont été décidées.',
  },
  refuted: {
    en: 'Alerts about something that was not wrong.',
    fr: 'Alertes sur quelque chose qui n’était pas faux.',
  },
  undecided: { en: 'Alerts that nobody decided yet.', fr: 'Alertes que personne n’a encore décidées.' },
  undetermined_share: {
    en: 'Share of the alerts of which nobody can tell whether they were right.',
    fr: 'Part des alertes dont personne ne peut dire si elles étaient justes.',
  },
  expected: { en: 'What was usual for such an invoice.', fr: 'Ce qui était habituel pour une telle facture.' },
  billed: { en: 'What the invoice asked for.', fr: 'Ce que la facture demandait.' },
  repaired_amount: {
    en: 'What the invoice would come to without this error.',
    fr: 'Ce que serait la facture sans cette erreur.',
  },
  cv: {
    en: 'How much such invoices vary: standard deviation / mean.',
    fr: 'Combien de telles factures varient : écart type / moyenne.',
  },
  recall: { en: 'Share of the wrong invoices that recoup found.', fr: 'Part des factures fausses que recoup a trouvées.' },
  uplift: {
    en: 'How much better it works than asking for the money at once.',
    fr: 'De combien c’est mieux que de demander l’argent en une fois.',
  },
  without_expectation: {
    en: 'Share of invoices with too little history to compare with.',
    fr: 'Part des factures avec trop peu d’historique pour comparer.',
  },
};
