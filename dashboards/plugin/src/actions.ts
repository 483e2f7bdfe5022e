/** What a person can do about a case, in the order of the work. */
export const actions = ['acknowledge', 'confirm', 'false_alarm', 'recovered'] as const;

export type Action = (typeof actions)[number];

/** What an action tells beside itself, as it is typed. */
export type Details = Partial<Record<'true_cause' | 'correct_amount' | 'amount' | 'option', string>>;

/** Ways a customer settles; the others (gestures, write-offs) need the command line. */
export const options = ['immediate_payment', 'instalments', 'offset_next_order'];

/** Field is one thing an action asks for. */
export interface Field {
  key: keyof Details;
  label: 'trueCause' | 'correctAmount' | 'paidAmount' | 'option';
  /** Of amounts: which ones are taken. A duplicate should have been 0, a credit note is below. */
  amount?: 'any' | 'positive';
  required: boolean;
}

/** fieldsOf returns what an action asks for about a case of a kind; only single invoices have a correct amount. */
export function fieldsOf(action: Action, kind: string): Field[] {
  switch (action) {
    case 'confirm':
      return [
        { key: 'true_cause', label: 'trueCause', required: false },
        ...(kind === 'invoice'
          ? [{ key: 'correct_amount', label: 'correctAmount', amount: 'any', required: true } as const]
          : []),
      ];
    case 'recovered':
      return [
        { key: 'amount', label: 'paidAmount', amount: 'positive', required: false },
        { key: 'option', label: 'option', required: false },
      ];
    default:
      return [];
  }
}

/** accepts tells whether a field takes a text; amounts are exact, with at most four places. */
export function accepts({ amount, required }: Field, text: string | undefined): boolean {
  const typed = amount ? normal(text) : (text ?? '');
  if (typed === '') {
    return !required;
  }
  return !amount || (/^-?\d{1,14}(\.\d{1,4})?$/.test(typed) && (amount === 'any' || Number(typed) > 0));
}

/** normal writes a typed amount as recoup reads it: a comma is a point, blanks group digits, a long minus is a short one. */
function normal(text: string | undefined): string {
  return (text ?? '').replace(/[\s\u00a0\u202f]/g, '').replace('−', '-').replace(',', '.');
}

/** bodyOf is what is sent; amounts stay texts, so that none is rounded. */
export function bodyOf(fields: Field[], seller: string, id: string, details: Details): Record<string, string> {
  const body: Record<string, string> = { seller, event_id: id };
  for (const { key, amount } of fields) {
    const value = amount ? normal(details[key]) : details[key];
    if (value) {
      body[key] = value;
    }
  }
  return body;
}

/** eventId returns a random UUID. crypto.randomUUID is missing where Grafana is served without TLS. */
export function eventId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40; // version 4
  bytes[8] = (bytes[8]! & 0x3f) | 0x80; // variant of RFC 9562
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
