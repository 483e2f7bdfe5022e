/** Language of everything the plugin says: the reader's, English if it is none of these. */
export type Language = 'en' | 'fr';

/** Text is something a person reads. */
export type Text = Record<Language, string>;

/** languageOf picks the language of a tag such as fr-CA. */
export function languageOf(tag: string | undefined): Language {
  return tag?.toLowerCase().split('-')[0] === 'fr' ? 'fr' : 'en';
}

/** fill puts values in the place of {name}. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** number writes a number as the reader's country does. */
export function number(value: number, language: Language, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 2, ...options }).format(value);
}

/** percent writes a share between 0 and 1. */
export function percent(share: number, language: Language): string {
  return number(share, language, { style: 'percent', maximumFractionDigits: 1 });
}

/** chance writes a probability; none is ever certain. */
export function chance(p: number, language: Language): string {
  return p > 0.99 ? `>${percent(0.99, language)}` : p < 0.01 ? `<${percent(0.01, language)}` : percent(p, language);
}

/** money writes an amount; a currency that is no ISO code is written behind it. */
export function money(amount: number, currency: string, language: Language): string {
  if (/^[A-Z]{3}$/.test(currency)) {
    return number(amount, language, { style: 'currency', currency });
  }
  return `${number(amount, language, { minimumFractionDigits: 2 })} ${currency}`.trim();
}
