import { Alert, Badge, Button, Combobox, Field, Input, Modal, Stack } from '@grafana/ui';
import React, { useId, useState } from 'react';

import { type Action, actions, bodyOf, type Details, eventId, fieldsOf, isAmount, options } from '../actions';
import type { RecoupDatasource } from '../datasource';
import type { Case } from '../explanation';
import { messageOf } from '../failure';
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

/** What the last action came to. */
interface Outcome {
  severity: 'success' | 'error';
  title: string;
  text: string;
}

/** CaseActions shows a case and, to those who may, the buttons to act on it. */
export function CaseActions({ datasource, seller, found, causes, onActed }: Props): React.JSX.Element {
  const { say, name } = useLanguage();
  const [asking, setAsking] = useState<{ action: Action; id: string }>();
  const [outcome, setOutcome] = useState<Outcome>();
  const act = async (action: Action, id: string, details: Details) => {
    try {
      const text = await datasource.act(found.id, action, bodyOf(action, seller, id, details));
      setOutcome({ severity: 'success', title: say('done', { action: say(action) }), text });
      onActed();
    } catch (error) {
      setOutcome({ severity: 'error', title: say('failed'), text: messageOf(error) });
    }
    setAsking(undefined);
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
      {outcome && (
        <Alert severity={outcome.severity} title={outcome.title} onRemove={() => setOutcome(undefined)}>
          {outcome.text}
        </Alert>
      )}
      {asking && (
        <Asking
          action={asking.action}
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
  causes: string[];
  onDismiss: () => void;
  onConfirm: (details: Details) => Promise<void>;
}

/** Asking says what an action does, asks for what it needs, and is sent once. */
function Asking({ action, causes, onDismiss, onConfirm }: AskingProps) {
  const { say, name } = useLanguage();
  const [details, setDetails] = useState<Details>({ true_cause: action === 'confirm' ? causes[0] : undefined });
  const [sending, setSending] = useState(false);
  const id = useId();
  const fields = fieldsOf(action);
  const wrong = fields.some(({ amount, required, key }) => amount && !isAmount(details[key], required));
  return (
    <Modal title={say(action)} isOpen onDismiss={onDismiss}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setSending(true); // no second time: a form whose button is disabled is not sent
          void onConfirm(details);
        }}
      >
        <p>{say(`${action}Ask` as Word)}</p>
        {fields.map(({ key, label, amount, required }) => {
          const set = (value: string | undefined) => setDetails({ ...details, [key]: value });
          const bad = amount && Boolean(details[key]) && !isAmount(details[key], required);
          return (
            <Field
              key={key}
              label={required ? say(label) : `${say(label)} (${say('optional')})`}
              htmlFor={`${id}${key}`}
              invalid={bad}
              error={bad ? say('badAmount') : undefined}
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
