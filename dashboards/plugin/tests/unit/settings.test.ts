import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faults, listOf } from '../../src/settings';

const good = { clickhouse: { address: 'clickhouse:9000' } };

test('the address of ClickHouse suffices', () => {
  assert.deepEqual(faults(good), {});
  assert.deepEqual(faults({}), { 'clickhouse.address': 'required' });
});

test('each fault names its field', () => {
  const cases = [
    [{ clickhouse: { address: 'clickhouse' } }, { 'clickhouse.address': 'address' }],
    [{ clickhouse: { address: 'http://clickhouse:9000' } }, { 'clickhouse.address': 'address' }],
    [{ clickhouse: { address: '[::1]:9000' } }, {}],
    [{ clickhouse: { address: 'clickhouse:70000' } }, { 'clickhouse.address': 'address' }],
    [{ ...good, kafka: { brokers: ['kafka:9092', 'kafka'] } }, { 'kafka.brokers': 'address' }],
    [{ ...good, kafka: { sasl: { mechanism: 'PLAIN' } } }, { 'kafka.sasl.username': 'username' }],
    [{ ...good, rowLimit: 10_001 }, { rowLimit: 'limit' }],
    [{ ...good, rowLimit: Number.NaN }, { rowLimit: 'limit' }],
    [{ ...good, timeoutSeconds: 0.5 }, { timeoutSeconds: 'timeout' }],
  ] as const;
  for (const [settings, wanted] of cases) {
    assert.deepEqual(faults(settings as Parameters<typeof faults>[0]), wanted, JSON.stringify(settings));
  }
});

test('brokers are parted by commas or blanks', () => {
  assert.deepEqual(listOf(' a:1, b:2;c:3\n'), ['a:1', 'b:2', 'c:3']);
});
