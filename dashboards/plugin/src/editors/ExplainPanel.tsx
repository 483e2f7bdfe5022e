import type { DataFrame, GrafanaTheme2 } from '@grafana/data';
import { css } from '@emotion/css';
import { Alert, useStyles2 } from '@grafana/ui';
import React from 'react';

import type { RecoupDatasource } from '../datasource';
import { type Cause, type Explanation, explanationOf, type Fact, scaleOf } from '../explanation';
import { chance, money } from '../language';
import { CaseActions } from './CaseActions';
import { useLanguage } from './language';

interface Props {
  datasource: RecoupDatasource;
  seller: string;
  /** Codes of all causes there are. */
  known: string[];
  /** Frames of the explain query; undefined until it ran. */
  frames: DataFrame[] | undefined;
  /** Called after an action was written, to read the case again. */
  onActed: () => void;
}

/** ExplainPanel shows why an invoice is suspect, and what can be done about it. */
export function ExplainPanel({ datasource, seller, known, frames, onActed }: Props): React.JSX.Element {
  const { say } = useLanguage();
  const styles = useStyles2(getStyles);
  const explanation = explanationOf(frames ?? []);
  if (!explanation) {
    return <Alert severity="info" title={say(frames?.length ? 'nothing' : 'run')} />;
  }
  return (
    <section className={styles.panel} aria-label={say('verdict')}>
      <h4>{say('verdict')}</h4>
      <Picture explanation={explanation} />
      <h5>{say('votes')}</h5>
      {explanation.causes.length === 0 && <p>{say('noCauses')}</p>}
      <ol className={styles.causes}>
        {explanation.causes.map((cause, index) => (
          <Vote key={index} cause={cause} currency={explanation.currency} />
        ))}
      </ol>
      <h5>{say('theCase')}</h5>
      {explanation.case ? (
        <CaseActions
          key={explanation.case.id}
          datasource={datasource}
          seller={datasource.resolve(seller)}
          found={explanation.case}
          causes={[...new Set([...explanation.causes.map(({ code }) => code), ...known])]}
          onActed={onActed}
        />
      ) : (
        <p>{say('noCase')}</p>
      )}
      <Facts facts={explanation.facts} />
      {explanation.text.length > 0 && (
        <details>
          <summary>{say('sentences')}</summary>
          <pre>{explanation.text.join('\n')}</pre>
        </details>
      )}
    </section>
  );
}

/** Picture draws the band of what is usual, and billed and repaired amount as marks on it. */
function Picture({ explanation }: { explanation: Explanation }) {
  const { language, say } = useLanguage();
  const styles = useStyles2(getStyles);
  const { billed, expected, repaired, likely } = explanation;
  const write = (amount: number) => money(amount, explanation.currency, language);
  const low = explanation.low ?? expected;
  const high = explanation.high ?? expected;
  if (expected === undefined || low === undefined || high === undefined) {
    return (
      <p>
        {say('billed')}: {write(billed)}. {say('noExpectation')}
      </p>
    );
  }
  const scale = scaleOf([billed, expected, low, high, repaired ?? expected]);
  const missing = expected - billed;
  const figures: Array<[string, string, string?]> = [
    [say('expected'), write(expected), say('usually', { low: write(low), high: write(high) })],
    [say('billed'), write(billed), say(missing > 0 ? 'tooLow' : 'tooHigh', { amount: write(Math.abs(missing)) })],
  ];
  if (repaired !== undefined) {
    figures.push([say('repaired'), write(repaired)]);
  }
  if (likely !== undefined) {
    figures.push([say('likely'), chance(likely, language)]);
  }
  const words = { billed: write(billed), expected: write(expected), low: write(low), high: write(high) };
  return (
    <>
      <dl className={styles.figures}>
        {figures.map(([title, value, note]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>
              <strong>{value}</strong>
              {note && <small>{note}</small>}
            </dd>
          </div>
        ))}
      </dl>
      <div className={styles.picture} role="img" aria-label={say('picture', words)}>
        <span
          className={styles.band}
          style={{ left: `${scale.at(low)}%`, width: `${scale.at(high) - scale.at(low)}%` }}
        />
        {repaired !== undefined && <Mark className={styles.repaired} at={scale.at(repaired)} />}
        <Mark className={styles.billed} at={scale.at(billed)} />
        <Mark className={styles.expected} at={scale.at(expected)} />
      </div>
      <ul className={styles.legend} aria-hidden>
        <li data-mark="band">{say('usually', words)}</li>
        <li data-mark="expected">{say('expected')}</li>
        <li data-mark="billed">{say('billed')}</li>
        {repaired !== undefined && <li data-mark="repaired">{say('repaired')}</li>}
      </ul>
    </>
  );
}

function Mark({ className, at }: { className: string; at: number }) {
  return <span className={className} style={{ left: `${at}%` }} />;
}

/** Vote is one cause: a bar as long as it is likely, and why. */
function Vote({ cause, currency }: { cause: Cause; currency: string }) {
  const { language, say, name } = useLanguage();
  const styles = useStyles2(getStyles);
  const share = chance(cause.share, language);
  const title = [name(cause.code), cause.kind].filter(Boolean).join(' – ');
  return (
    <li>
      <div className={styles.vote}>
        <strong>{title}</strong>
        <span
          className={styles.bar}
          role="meter"
          aria-label={title}
          aria-valuenow={Math.round(100 * cause.share)}
        >
          <span style={{ width: `${Math.min(100, 100 * cause.share)}%` }} />
        </span>
        <span>{share}</span>
      </div>
      <p>
        {cause.evidence}
        {cause.repaired !== undefined && ` (${say('without', { amount: money(cause.repaired, currency, language) })})`}
      </p>
    </li>
  );
}

/** Facts lists everything the backend told. */
function Facts({ facts }: { facts: Fact[] }) {
  const { language, say } = useLanguage();
  const styles = useStyles2(getStyles);
  return (
    <details>
      <summary>{say('facts')}</summary>
      <dl className={styles.facts}>
        {facts.map(({ title, value }, index) => (
          <div key={index}>
            <dt>{title}</dt>
            <dd>{value instanceof Date ? value.toLocaleString(language) : value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function getStyles(theme: GrafanaTheme2) {
  const { colors, spacing, shape } = theme;
  const mark = (colour: string, width: number) =>
    css({
      position: 'absolute',
      top: 4,
      bottom: 4,
      width,
      marginLeft: -width / 2,
      background: colour,
      borderRadius: width / 2,
    });
  const swatch = (colour: string) => ({ '&::before': { background: colour } });
  return {
    panel: css({
      background: colors.background.secondary,
      borderRadius: shape.radius.default,
      padding: spacing(2),
      '& h5': { margin: spacing(2, 0, 1) },
      '& > details': { marginTop: spacing(1) },
      '& p': { margin: 0 },
    }),
    figures: css({
      display: 'flex',
      flexWrap: 'wrap',
      gap: spacing(4),
      margin: spacing(1, 0),
      '& dt': { color: colors.text.secondary, fontWeight: 'normal' },
      '& dd': { margin: 0, display: 'flex', flexDirection: 'column' },
      '& strong': { fontSize: theme.typography.h4.fontSize },
      '& small': { color: colors.text.secondary },
    }),
    picture: css({
      position: 'relative',
      height: 36,
      background: colors.background.canvas,
      borderRadius: shape.radius.default,
    }),
    band: css({
      position: 'absolute',
      top: 10,
      bottom: 10,
      minWidth: 2,
      background: colors.primary.transparent,
      border: `1px solid ${colors.primary.border}`,
      borderRadius: 3,
    }),
    expected: mark(colors.primary.text, 2), // on top, and thin: repaired is often the same
    repaired: mark(colors.success.main, 8),
    billed: mark(colors.error.main, 7),
    legend: css({
      display: 'flex',
      flexWrap: 'wrap',
      gap: spacing(2),
      listStyle: 'none',
      margin: spacing(0.5, 0),
      fontSize: theme.typography.bodySmall.fontSize,
      color: colors.text.secondary,
      '& li::before': {
        content: '""',
        display: 'inline-block',
        width: 10,
        height: 10,
        marginRight: 6,
        borderRadius: 2,
      },
      '& [data-mark=band]': {
        '&::before': { background: colors.primary.transparent, border: `1px solid ${colors.primary.border}` },
      },
      '& [data-mark=expected]': swatch(colors.primary.text),
      '& [data-mark=billed]': swatch(colors.error.main),
      '& [data-mark=repaired]': swatch(colors.success.main),
    }),
    causes: css({
      listStyle: 'none',
      margin: 0,
      display: 'flex',
      flexDirection: 'column',
      gap: spacing(1),
      '& p': { color: colors.text.secondary, whiteSpace: 'pre-line' }, // evidence has a line a sentence
    }),
    vote: css({
      display: 'grid',
      gridTemplateColumns: 'minmax(8rem, 14rem) minmax(6rem, 20rem) auto',
      gap: spacing(1),
      alignItems: 'center',
    }),
    bar: css({
      height: 10,
      borderRadius: 5,
      background: colors.background.canvas,
      overflow: 'hidden',
      '& > span': { display: 'block', height: '100%', background: colors.warning.main },
    }),
    facts: css({
      margin: spacing(1, 0, 0, 2),
      '& > div': { display: 'flex', gap: spacing(2) },
      '& dt': { flex: '0 0 14rem', fontWeight: 'normal', color: colors.text.secondary },
      '& dd': { margin: 0 },
    }),
  };
}
