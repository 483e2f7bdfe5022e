/** What a person can do about a case, in the order of the work. */
export const actions = ['acknowledge', 'confirm', 'false_alarm', 'recovered'] as const;

export type Action = (typeof actions)[number];

/** What an action tells beside itself, as it is typed. */
export type Details = Partial<Record<'true_cause' | 'correct_amount' | 'amount' | 'option', string>>;

/** Ways a customer settles; the others (gestures, write-offs) need the command line. */
export const options = ['immediate_payment', 'instalments', 'offset_next_order'];

/** Field is one thing an action asks for. */
interface Field {
  key: keyof Details;
  label: 'trueCause' | 'correctAmount' | 'paidAmount' | 'option';
  amount: boolean;
  required: boolean;
}

/** fieldsOf returns what an action asks for. */
export function fieldsOf(action: Action): Field[] {
  switch (action) {
    case 'confirm':
      return [
        { key: 'true_cause', label: 'trueCause', amount: false, required: false },
        { key: 'correct_amount', label: 'correctAmount', amount: true, required: false },
      ];
    case 'recovered':
      return [
        { key: 'amount', label: 'paidAmount', amount: true, required: true },
        { key: 'option', label: 'option', amount: false, required: false },
      ];
    default:
      return [];
  }
}

/** isAmount tells whether a text is an amount that can be stored: exact, at most four places. */
export function isAmount(text: string | undefined, required: boolean): boolean {
  const typed = normal(text);
  return typed === '' ? !required : /^\d{1,15}(\.\d{1,4})?$/.test(typed) && Number(typed) > 0;
}

/** normal writes a typed amount as recoup reads it: a comma is a point, blanks group digits. */
function normal(text: string | undefined): string {
  return (text ?? '').replace(/[\s\u00a0\u202f]/g, '').replace(',', '.');
}

/** bodyOf is what is sent; amounts stay texts, so that none is rounded. */
export function bodyOf(action: Action, seller: string, id: string, details: Details): Record<string, string> {
  const body: Record<string, string> = { seller, event_id: id };
  for (const { key, amount } of fieldsOf(action)) {
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
