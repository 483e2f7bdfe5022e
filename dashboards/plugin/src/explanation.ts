import type { DataFrame, FieldConfig } from '@grafana/data';

/** What an explain query answers, out of its frames. */
export interface Explanation {
  currency: string;
  billed: number;
  /** Missing when too few invoices are known to expect anything. */
  expected?: number;
  /** The band around expected; low is not above high. */
  low?: number;
  high?: number;
  /** What the invoice comes to with its most likely error repaired. */
  repaired?: number;
  /** How likely it is wrong, 0 to 1. */
  likely?: number;
  /** Most probable first. */
  causes: Cause[];
  /** Missing when there is no case about it. */
  case?: Case;
  /** All that is known of the invoice and its case. */
  facts: Fact[];
  /** The explanation in sentences, a line each. */
  text: string[];
}

/** Fact is one field as the backend tells it. */
export interface Fact {
  title: string;
  value: string | number | Date;
}

/** Cause is one vote for what went wrong. */
export interface Cause {
  code: string;
  /** What was found, in words: tells causes of one code apart. */
  kind: string;
  /** 0 to 1. */
  share: number;
  /** Sentences, a line each. */
  evidence: string;
  /** What the invoice comes to without this cause. */
  repaired?: number;
}

/** Case is what is being done about it. */
export interface Case {
  id: string;
  /** What it is about: an invoice, an incident, a rate, or that recoup is blind. */
  kind: string;
  state: string;
  summary: string;
}

/** Rows of the frame of a name; none if it is not there. */
function rows(frames: DataFrame[], name: string): Array<Record<string, unknown>> {
  const frame = frames.find((candidate) => candidate.name === name);
  return Array.from({ length: frame?.length ?? 0 }, (_, row) =>
    Object.fromEntries(frame!.fields.map((field) => [field.name, field.values[row]])),
  );
}

/** The words that a field has for a code; a value without words stands for itself. */
function worded({ mappings = [] }: FieldConfig, value: Fact['value']): Fact['value'] {
  const texts = mappings.map(({ options }) => (options as Record<string, { text?: string }>)[String(value)]?.text);
  return texts.find(Boolean) ?? value;
}

/** Facts of the frame of a name that has one row; empty ones say nothing. */
function factsOf(frames: DataFrame[], name: string): Fact[] {
  const frame = frames.find((candidate) => candidate.name === name && candidate.length > 0);
  return (frame?.fields ?? [])
    .map(({ name: field, config, type, values: [value] }) => ({
      title: config.displayNameFromDS ?? field,
      value: type === 'time' && value ? new Date(value) : worded(config, value),
    }))
    .filter(({ value }) => value !== null && value !== undefined && value !== '');
}

/** Decimals come as numbers, or as texts that keep every digit. */
function numeric(value: unknown): number | undefined {
  const read = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : undefined;
}

/** explanationOf reads the frames of an explain query; undefined when they hold no invoice. */
export function explanationOf(frames: DataFrame[]): Explanation | undefined {
  const invoice = rows(frames, 'invoice')[0];
  const billed = numeric(invoice?.['billed']);
  if (!invoice || billed === undefined) {
    return undefined;
  }
  const found = rows(frames, 'case')[0];
  return {
    currency: String(invoice['currency'] ?? ''),
    billed,
    expected: numeric(invoice['expected']),
    low: numeric(invoice['expected_low']),
    high: numeric(invoice['expected_high']),
    repaired: numeric(invoice['repaired_amount']),
    likely: numeric(invoice['p_error']),
    causes: rows(frames, 'causes').map((row) => ({
      code: String(row['code'] ?? ''),
      kind: String(row['kind'] ?? ''),
      share: numeric(row['p']) ?? 0,
      evidence: String(row['evidence'] ?? ''),
      repaired: numeric(row['repaired_amount']),
    })),
    case: found && {
      id: String(found['case_id'] ?? ''),
      kind: 'invoice',
      state: String(found['state'] ?? ''),
      summary: String(found['summary'] ?? ''),
    },
    facts: [...factsOf(frames, 'invoice'), ...factsOf(frames, 'case')],
    text: rows(frames, 'text').map((row) => String(row['line'] ?? '')),
  };
}

/** LiveCase is a case as it came. */
export interface LiveCase extends Case {
  /** What recoup holds to have gone wrong; empty if nothing. */
  cause: string;
}

/** casesOf reads the frames of a cases query: each case once, as it was told last, newest first. */
export function casesOf(frames: DataFrame[]): LiveCase[] {
  const told = rows(frames, 'cases').sort((a, b) => Number(b['time']) - Number(a['time']));
  const found = new Map<string, LiveCase>();
  for (const row of told) {
    const text = (field: string) => String(row[field] ?? '');
    const id = text('case_id');
    if (id && !found.has(id)) {
      const state = text('outcome') || text('status') || 'open';
      found.set(id, { id, kind: text('kind'), state, summary: text('summary'), cause: text('cause') });
    }
  }
  return [...found.values()];
}

/** Scale places amounts on a picture, in percent from its left edge. */
export interface Scale {
  at: (amount: number) => number;
}

/** scaleOf leaves a tenth of the span free on either side, so that no mark lies on the edge. */
export function scaleOf(amounts: number[]): Scale {
  const low = Math.min(...amounts);
  const high = Math.max(...amounts);
  const margin = (high - low || Math.abs(high) || 1) / 10;
  const span = high - low + 2 * margin;
  return { at: (amount) => (100 * (amount - low + margin)) / span };
}
