import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { Alert, Checkbox, Combobox, Field, FieldSet, Input, SecretInput, SecretTextArea, Stack } from '@grafana/ui';
import React, { useId } from 'react';

import { type Fault, faults, listOf, type Secrets, type Settings } from '../settings';
import type { Word } from '../words';
import { useLanguage } from './language';

type Props = DataSourcePluginOptionsEditorProps<Settings, Secrets>;

/** Width of every field, in units of Grafana's grid. */
const width = 60;

const mechanisms = ['', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

/** ConfigEditor says where ClickHouse and Kafka are, and how to sign in. */
export function ConfigEditor({ options, onOptionsChange }: Props): React.JSX.Element {
  const { say } = useLanguage();
  const settings = options.jsonData;
  const { clickhouse = {}, kafka = {} } = settings;
  const change = (changed: Partial<Settings>) => onOptionsChange({ ...options, jsonData: { ...settings, ...changed } });
  const setClickHouse = (changed: Settings['clickhouse']) => change({ clickhouse: { ...clickhouse, ...changed } });
  const setKafka = (changed: Settings['kafka']) => change({ kafka: { ...kafka, ...changed } });
  const wrong = faults(settings);
  const readOnly = options.readOnly ?? false;
  const secret = { options, onOptionsChange, disabled: readOnly };
  return (
    <>
      {readOnly && <Alert severity="info" title={say('readOnly')} />}
      <FieldSet label={say('clickhouse')} disabled={readOnly}>
        <Line
          label="address"
          help="addressHelp"
          fault={wrong['clickhouse.address']}
          required
          value={clickhouse.address}
          placeholder="clickhouse:9000"
          onChange={(address) => setClickHouse({ address })}
        />
        <Line
          label="database"
          value={clickhouse.database}
          placeholder="recoup"
          onChange={(database) => setClickHouse({ database })}
        />
        <Line
          label="username"
          help="usernameHelp"
          value={clickhouse.username}
          placeholder="default"
          onChange={(username) => setClickHouse({ username })}
        />
        <Secret {...secret} name="clickhousePassword" label="password" />
        <Encrypted
          value={clickhouse.tls?.enabled}
          onChange={(enabled) => setClickHouse({ tls: { ...clickhouse.tls, enabled } })}
        />
      </FieldSet>
      <FieldSet label={say('kafka')} disabled={readOnly}>
        <p>{say('kafkaHelp')}</p>
        <Line
          label="brokers"
          help="brokersHelp"
          fault={wrong['kafka.brokers']}
          value={kafka.brokers?.join(', ')}
          placeholder="kafka:9092"
          onChange={(typed) => setKafka({ brokers: listOf(typed) })}
        />
        <Mechanism kafka={kafka} onChange={setKafka} disabled={readOnly} />
        {kafka.sasl?.mechanism && (
          <>
            <Line
              label="username"
              fault={wrong['kafka.sasl.username']}
              required
              value={kafka.sasl.username}
              onChange={(username) => setKafka({ sasl: { ...kafka.sasl, username } })}
            />
            <Secret {...secret} name="kafkaPassword" label="password" />
          </>
        )}
        <Encrypted value={kafka.tls?.enabled} onChange={(enabled) => setKafka({ tls: { ...kafka.tls, enabled } })} />
      </FieldSet>
      {(clickhouse.tls?.enabled || kafka.tls?.enabled) && (
        <FieldSet label={say('certificates')} disabled={readOnly}>
          <p>{say('certificatesHelp')}</p>
          <Secret {...secret} name="tlsCa" label="tlsCa" long />
          <Secret {...secret} name="tlsClientCert" label="tlsClientCert" help="tlsClientCertHelp" long />
          <Secret {...secret} name="tlsClientKey" label="tlsClientKey" long />
        </FieldSet>
      )}
      <Advanced settings={settings} onChange={change} wrong={wrong} disabled={readOnly} />
    </>
  );
}

interface LineProps {
  label: Word;
  help?: Word;
  fault?: Fault;
  required?: boolean;
  value: string | undefined;
  placeholder?: string;
  onChange: (value: string) => void;
}

/** Line is a field of one line. It is told when the field is left, so that lists can be typed in peace. */
function Line({ label, help, fault, required, value, placeholder, onChange }: LineProps) {
  const { say } = useLanguage();
  const id = useId();
  const error = fault && say(`fault${fault[0]!.toUpperCase()}${fault.slice(1)}` as Word);
  return (
    <Field
      label={say(label)}
      description={help && say(help)}
      htmlFor={id}
      required={required}
      invalid={error !== undefined}
      error={error}
    >
      <Input
        id={id}
        key={value}
        width={width}
        defaultValue={value}
        placeholder={placeholder}
        onBlur={(event) => {
          const typed = event.currentTarget.value.trim();
          if (typed !== (value ?? '')) {
            onChange(typed);
          }
        }}
      />
    </Field>
  );
}

interface SecretProps extends Props {
  name: keyof Secrets;
  label: Word;
  help?: Word;
  /** Of several lines. */
  long?: boolean;
  disabled: boolean;
}

/** Secret is written once and never read back: Grafana only tells that it is there. */
function Secret({ options, onOptionsChange, name, label, help, long, disabled }: SecretProps) {
  const { say } = useLanguage();
  const id = useId();
  const store = (value: string, configured: boolean) =>
    onOptionsChange({
      ...options,
      secureJsonData: { ...options.secureJsonData, [name]: value },
      secureJsonFields: { ...options.secureJsonFields, [name]: configured },
    });
  const common = {
    id,
    disabled,
    isConfigured: options.secureJsonFields?.[name] ?? false,
    value: options.secureJsonData?.[name] ?? '',
    onReset: () => store('', false),
    onChange: (event: { currentTarget: { value: string } }) => store(event.currentTarget.value, false),
  };
  return (
    <Field label={say(label)} description={help && say(help)} htmlFor={id}>
      {long ? (
        <SecretTextArea {...common} cols={width} rows={4} placeholder="-----BEGIN …" />
      ) : (
        <SecretInput {...common} width={width} />
      )}
    </Field>
  );
}

interface MechanismProps {
  kafka: NonNullable<Settings['kafka']>;
  onChange: (changed: Settings['kafka']) => void;
  disabled: boolean;
}

/** Mechanism chooses how to sign in to Kafka. */
function Mechanism({ kafka, onChange, disabled }: MechanismProps) {
  const { say } = useLanguage();
  const id = useId();
  return (
    <Field label={say('mechanism')} htmlFor={id}>
      <Combobox
        id={id}
        width={width}
        disabled={disabled}
        options={mechanisms.map((value) => ({ value, label: value === '' ? say('none') : value }))}
        value={kafka.sasl?.mechanism ?? ''}
        onChange={({ value }) => onChange({ sasl: { ...kafka.sasl, mechanism: value } })}
      />
    </Field>
  );
}

function Encrypted({ value, onChange }: { value: boolean | undefined; onChange: (value: boolean) => void }) {
  const { say } = useLanguage();
  return (
    <Checkbox label={say('tls')} value={value ?? false} onChange={(event) => onChange(event.currentTarget.checked)} />
  );
}

interface AdvancedProps {
  settings: Settings;
  onChange: (changed: Partial<Settings>) => void;
  wrong: Record<string, Fault>;
  disabled: boolean;
}

/** Advanced is what few installations change; it is folded until somebody asks, or something in it is wrong. */
function Advanced({ settings, onChange, wrong, disabled }: AdvancedProps) {
  const { say } = useLanguage();
  const { clickhouse, kafka } = settings;
  const faulty = wrong['rowLimit'] !== undefined || wrong['timeoutSeconds'] !== undefined;
  return (
    <details open={faulty || undefined}>
      <summary>{say('advanced')}</summary>
      <FieldSet disabled={disabled}>
        <Stack direction="column" gap={0}>
          {(['rowLimit', 'timeoutSeconds'] as const).map((limit) => (
            <Line
              key={limit}
              label={limit}
              help={`${limit}Help`}
              fault={wrong[limit]}
              value={settings[limit] === undefined ? undefined : String(settings[limit])}
              onChange={(typed) => onChange({ [limit]: typed === '' ? undefined : Number(typed) })}
            />
          ))}
          <Line
            label="defaultSeller"
            help="defaultSellerHelp"
            value={settings.defaultSeller}
            onChange={(defaultSeller) => onChange({ defaultSeller })}
          />
          {(['group', 'topicPrefix'] as const).map((name) => (
            <Line
              key={name}
              label={name}
              help={`${name}Help`}
              value={kafka?.[name]}
              onChange={(typed) => onChange({ kafka: { ...kafka, [name]: typed } })}
            />
          ))}
          <Line
            label="clickhouseServerName"
            help="serverNameHelp"
            value={clickhouse?.tls?.serverName}
            onChange={(serverName) =>
              onChange({ clickhouse: { ...clickhouse, tls: { ...clickhouse?.tls, serverName } } })
            }
          />
          <Line
            label="kafkaServerName"
            help="serverNameHelp"
            value={kafka?.tls?.serverName}
            onChange={(serverName) => onChange({ kafka: { ...kafka, tls: { ...kafka?.tls, serverName } } })}
          />
        </Stack>
      </FieldSet>
    </details>
  );
}
