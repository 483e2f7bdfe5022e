import { Alert, Badge, Button, Combobox, Field, Input, Modal, Stack } from '@grafana/ui';
import React, { useEffect, useId, useRef, useState } from 'react';

import {
  accepts,
  type Action,
  actions,
  bodyOf,
  type Details,
  eventId,
  type Field as Asked,
  fieldsOf,
  options,
} from '../actions';
import type { RecoupDatasource } from '../datasource';
import type { Case } from '../explanation';
import { messageOf, refused } from '../failure';
import { mayAct } from '../reader';
import type { Word } from '../words';
import { useLanguage } from './language';

interface Props {
  datasource: RecoupDatasource;
  seller: string;
  found: Case;
  /** Codes offered as what went wrong, most probable first. */
  causes: string[];
  onActed: () => void;
}

/** Milliseconds until what was done has been copied to where cases are read from. */
const copied = 1500;

/** CaseActions shows a case and, to those who may, the buttons to act on it. */
export function CaseActions({ datasource, seller, found, causes, onActed }: Props): React.JSX.Element {
  const { say, name } = useLanguage();
  const [asking, setAsking] = useState<{ action: Action; id: string }>();
  const [done, setDone] = useState<{ title: string; text: string }>();
  const later = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(later.current), []);
  const act = async (action: Action, id: string, details: Details) => {
    const text = await datasource.act(found.id, action, bodyOf(fieldsOf(action, found.kind), seller, id, details));
    setDone({ title: say('done', { action: say(action) }), text });
    setAsking(undefined);
    later.current = window.setTimeout(onActed, copied);
  };
  return (
    <Stack direction="column" gap={1}>
      <Stack gap={1} alignItems="center">
        <code>{found.id}</code>
        <Badge text={name(found.state)} color="blue" />
      </Stack>
      {found.summary && <p>{found.summary}</p>}
      {mayAct() ? (
        <Stack gap={1} wrap="wrap">
          {actions.map((action) => (
            <Button
              key={action}
              size="sm"
              variant={action === 'confirm' ? 'primary' : 'secondary'}
              onClick={() => setAsking({ action, id: eventId() })}
            >
              {say(action)}
            </Button>
          ))}
        </Stack>
      ) : (
        <p>{say('viewer')}</p>
      )}
      {done && (
        <Alert severity="success" title={done.title} onRemove={() => setDone(undefined)}>
          {done.text}
        </Alert>
      )}
      {asking && (
        <Asking
          action={asking.action}
          fields={fieldsOf(asking.action, found.kind)}
          causes={causes}
          onDismiss={() => setAsking(undefined)}
          onConfirm={(details) => act(asking.action, asking.id, details)}
        />
      )}
    </Stack>
  );
}

interface AskingProps {
  action: Action;
  fields: Asked[];
  causes: string[];
  onDismiss: () => void;
  onConfirm: (details: Details) => Promise<void>;
}

/**
 * Asking says what an action does and asks for what it needs. It stays open when that fails: what came of it may be
 * unknown, and only the same event, sent again, is sure not to be noted twice.
 */
function Asking({ action, fields, causes, onDismiss, onConfirm }: AskingProps) {
  const { say, name } = useLanguage();
  const [details, setDetails] = useState<Details>({ true_cause: action === 'confirm' ? causes[0] : undefined });
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<{ title: Word; text: string }>();
  const id = useId();
  const wrong = fields.some((field) => !accepts(field, details[field.key]));
  return (
    <Modal title={say(action)} isOpen onDismiss={onDismiss}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setSending(true); // no second time: a form whose button is disabled is not sent
          setFailure(undefined);
          onConfirm(details).catch((error: unknown) => {
            setFailure({ title: refused(error) ? 'failed' : 'unsure', text: messageOf(error) });
            setSending(false);
          });
        }}
      >
        <p>{say(`${action}Ask` as Word)}</p>
        {fields.map((field) => {
          const { key, label, amount, required } = field;
          const set = (value: string | undefined) => setDetails({ ...details, [key]: value });
          const bad = Boolean(details[key]) && !accepts(field, details[key]);
          return (
            <Field
              key={key}
              label={required ? say(label) : `${say(label)} (${say('optional')})`}
              htmlFor={`${id}${key}`}
              invalid={bad}
              description={amount && say(`${label}Help` as Word)}
              error={bad ? say(amount === 'any' ? 'badCorrect' : 'badAmount') : undefined}
            >
              {amount ? (
                <Input
                  id={`${id}${key}`}
                  inputMode="decimal"
                  value={details[key] ?? ''}
                  onChange={(event) => set(event.currentTarget.value)}
                />
              ) : (
                <Combobox
                  id={`${id}${key}`}
                  createCustomValue={key === 'true_cause'}
                  options={(key === 'option' ? options : causes).map((value) => ({
                    value,
                    label: name(value),
                  }))}
                  value={details[key] ?? null}
                  onChange={({ value }) => set(value)}
                />
              )}
            </Field>
          );
        })}
        {failure && (
          <Alert severity="error" title={say(failure.title)}>
            {failure.text}
          </Alert>
        )}
        <Modal.ButtonRow>
          <Button variant="secondary" fill="outline" onClick={onDismiss} type="button">
            {say('cancel')}
          </Button>
          <Button type="submit" disabled={wrong || sending}>
            {say('doIt')}
          </Button>
        </Modal.ButtonRow>
      </form>
    </Modal>
  );
}
