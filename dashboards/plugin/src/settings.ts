import type { DataSourceJsonData } from '@grafana/data';

/** How a server is spoken to under TLS. */
export interface TLS {
  enabled?: boolean;
  /** Name in the server's certificate, where it differs from the address. */
  serverName?: string;
}

/** Settings of the data source that Grafana keeps in the open. */
export interface Settings extends DataSourceJsonData {
  clickhouse?: { address?: string; database?: string; username?: string; tls?: TLS };
  kafka?: {
    brokers?: string[];
    topicPrefix?: string;
    /** Consumer group of recoup, whose lag is shown; by default recoup. */
    group?: string;
    sasl?: { mechanism?: '' | 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username?: string };
    tls?: TLS;
  };
  /** Rows of one answer at most; by default 5000. */
  rowLimit?: number;
  /** Seconds that one query may take; by default 30. */
  timeoutSeconds?: number;
  /** Seller of queries that name none. */
  defaultSeller?: string;
}

/** Secrets, which Grafana keeps encrypted and never shows again. */
export interface Secrets {
  clickhousePassword?: string;
  kafkaPassword?: string;
  /** Certificates and key in PEM, for both servers. */
  tlsCa?: string;
  tlsClientCert?: string;
  tlsClientKey?: string;
}

/** Fault names what is wrong with a field, by its path. */
export type Fault = 'required' | 'address' | 'limit' | 'timeout' | 'username';

const address = /^(\[[0-9a-fA-F:]+\]|[^\s:/]+):([0-9]{1,5})$/;

function isAddress(text: string): boolean {
  const port = Number(address.exec(text)?.[2]);
  return port > 0 && port < 65536;
}

/** faults checks what can be checked without a server; what is not filled in yet counts for required fields only. */
export function faults(settings: Settings): Record<string, Fault> {
  const found: Record<string, Fault> = {};
  const server = settings.clickhouse?.address ?? '';
  if (server === '') {
    found['clickhouse.address'] = 'required';
  } else if (!isAddress(server)) {
    found['clickhouse.address'] = 'address';
  }
  if (settings.kafka?.brokers?.some((broker) => !isAddress(broker))) {
    found['kafka.brokers'] = 'address';
  }
  if (settings.kafka?.sasl?.mechanism && !settings.kafka.sasl.username) {
    found['kafka.sasl.username'] = 'username';
  }
  if (!within(settings.rowLimit, 1, 10_000)) {
    found['rowLimit'] = 'limit';
  }
  if (!within(settings.timeoutSeconds, 1, 300)) {
    found['timeoutSeconds'] = 'timeout';
  }
  return found;
}

function within(value: number | undefined, low: number, high: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= low && value <= high);
}

/** listOf parts addresses that are typed with commas or spaces between them. */
export function listOf(typed: string): string[] {
  return typed.split(/[\s,;]+/).filter(Boolean);
}
