// Drives the built editors in headless Chromium as a person would: with a mouse, a keyboard, and labels.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { launch } from './chromium.mjs';
import { recorded, serve } from './server.mjs';

let browser, server, page;
let complaints = [];

before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
  page = await browser.newPage({ locale: 'en-US', viewport: { width: 1100, height: 900 } });
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(server.url);
  await page.waitForFunction(() => window.page);
});

after(async () => {
  await browser?.close();
  server?.close();
});

beforeEach(() => {
  server.asked.length = 0;
  server.answers.clear();
  complaints = [];
});

afterEach(() => assert.deepEqual(complaints, [], 'the console must stay clean'));

const show = (editor, options) => page.evaluate(([kind, given]) => window.page.show(kind, given), [editor, options]);
const saved = () => page.evaluate(() => window.page.saved);
const field = (label) => page.getByRole('combobox', { name: label, exact: true });
const button = (name) => page.getByRole('button', { name, exact: true });

/** choose opens a drop-down by its label, types, and takes the entry that is left. */
async function choose(label, entry) {
  await field(label).click();
  await field(label).fill(entry);
  await page.getByRole('option', { name: entry }).first().click();
}

const picture = (name, selector = 'main') =>
  page.locator(selector).screenshot({ path: new URL(`../../build/${name}.png`, import.meta.url).pathname });

const lossQuestion = recorded('questions').find(({ name }) => name === 'loss');
const explain = { refId: 'A', queryType: 'explain', filters: { seller: 'acme', invoice_id: 'F-121' } };
const caseId = recorded('query-explain').results.A.frames.find(({ schema }) => schema.name === 'case').data
  .values[0][0];

test('a question is chosen in words, narrowed by drop-downs, and sent once it is complete', async () => {
  server.answers.set('GET values/seller', { answer: [{ value: 'acme' }, { value: 'other' }] });
  await show('query', { value: { refId: 'A', queryType: 'question', question: 'error_rate', filters: {} } });
  await page.getByText('Still to fill in: Seller.').waitFor();
  await choose('What do you want to see?', lossQuestion.title.en);
  await page.getByText('open loss (probability of an error × what is at stake').waitFor();
  await page.getByText('What the columns mean').click();
  await page.getByText('One of: Billed too little').waitFor();
  const sent = server.asked.filter(({ path }) => path === '/api/ds/query').length;
  await choose('Seller', 'acme'); // the currency follows by itself: this seller has one
  await page.waitForFunction(() => window.page.saved.filters.currency === 'EUR');
  await field('Customer types').click();
  await page.getByRole('option', { name: 'B2B' }).click();
  await page.keyboard.press('Escape');
  await page.getByLabel('Rows at most').fill('250');
  await page.getByLabel('Rows at most').blur();
  assert.deepEqual(await saved(), {
    refId: 'A',
    queryType: 'question',
    question: 'loss',
    filters: { seller: 'acme', currency: 'EUR', customer_type: ['B2B'] },
    limit: 250,
  });
  const queries = server.asked.filter(({ path }) => path === '/api/ds/query').slice(sent);
  const [{ body }] = queries.slice(-1);
  assert.equal(body.queries[0].question, 'loss');
  assert.equal(body.queries[0].lang, 'en');
  assert.ok(
    queries.every((one) => one.body.queries[0].filters.currency),
    'half-filled queries are not sent',
  );
  await picture('question');
});

test('variables of the dashboard fill the filters of their name, and are replaced when sent', async () => {
  const variables = { seller: 'acme', currency: 'EUR', cause: ['discount', 'quantity'] };
  await show('query', { value: { refId: 'A', queryType: 'lag' }, variables });
  await choose('What do you want to see?', lossQuestion.title.en);
  assert.deepEqual((await saved()).filters.seller, '$seller');
  await page.waitForFunction(() => window.page.runs > 1);
  const [{ body }] = server.asked.filter(({ path }) => path === '/api/ds/query').slice(-1);
  assert.equal(body.queries[0].filters.seller, 'acme');
  assert.ok(server.asked.some(({ path, parameters }) => path === 'values/currency' && parameters.seller === 'acme'));
});

test('the keyboard suffices to choose a question', async () => {
  await show('query', { value: { refId: 'A', queryType: 'question', question: 'error_rate', filters: {} } });
  await field('What do you want to see?').waitFor();
  await field('What do you want to see?').focus();
  await page.keyboard.press('ArrowDown'); // opens the list, so that nothing types into one that is still coming
  await page.getByRole('option').nth(1).waitFor();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('Explain');
  await page.waitForFunction(() => document.querySelectorAll('[role=option]').length === 1); // the list is filtered
  await page.getByRole('option', { name: 'Explain one invoice' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => window.page.saved.queryType === 'explain');
});

test('a backend that does not answer is told, and asked again', async () => {
  server.answers.set('GET questions', {
    status: 502,
    answer: { message: 'cannot reach ClickHouse at clickhouse:9000' },
  });
  await show('query', { value: { refId: 'A', queryType: 'lag' } });
  await page.getByText('cannot reach ClickHouse at clickhouse:9000').waitFor();
  server.answers.clear();
  await button('Try again').click();
  await field('What do you want to see?').waitFor();
  assert.match(complaints.pop(), /502/); // what the browser itself says of the answer
});

test('an invoice is explained: expected, billed, causes, case', async () => {
  await show('query', { value: explain });
  const panel = page.getByRole('region', { name: 'Why this invoice?' });
  await panel.getByRole('img', { name: /^Billed .*; expected .*, usually .* to / }).waitFor();
  const causes = await panel.getByRole('meter').count();
  assert.ok(causes >= 1, 'at least one cause has a bar');
  await panel.getByText(caseId).first().waitFor();
  await panel.getByText('In sentences').click();
  await panel.getByText('SUSPECT: almost certainly wrong').waitFor();
  await panel.getByText('In sentences').click();
  await picture('explain');
});

test('two votes for one cause are told apart, and their evidence has a line a sentence', async () => {
  const answer = structuredClone(recorded('query-explain'));
  answer.results.A.frames.find(({ schema }) => schema.name === 'causes').data.values = [
    ['data_entry', 'data_entry'],
    ['a line is missing', 'a price has a comma too many'],
    [0.6, 0.4],
    ['line 2 is usual\nit is not there', 'the price is a tenth'],
    [402.98, 402.98],
  ];
  server.answers.set('POST /api/ds/query', { answer });
  await show('query', { value: explain });
  for (const kind of ['a line is missing', 'a price has a comma too many']) {
    await page.getByRole('meter', { name: `Data entry – ${kind}` }).waitFor();
  }
  const evidence = await page.getByText('line 2 is usual').innerText();
  assert.match(evidence, /^line 2 is usual\nit is not there \(should be /);
});

test('the explanation is French to a French reader', async () => {
  await show('query', { value: explain, language: 'fr-FR', theme: 'light' });
  await page.getByRole('region', { name: 'Pourquoi cette facture ?' }).waitFor();
  await picture('explain-fr');
});

test('an editor confirms an error: asked first, sent once, answered in words', async () => {
  const path = `cases/${caseId}/confirm`;
  server.answers.set(`POST ${path}`, { answer: { message: 'case confirmed, wait for the payment' } });
  await show('query', { value: explain });
  await button('It is an error').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/Correct amount/).fill('a lot');
  await dialog.getByText('An amount, such as').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Write it down' }).isDisabled());
  await dialog.getByLabel(/Correct amount/).fill('1 100,10');
  await dialog.getByRole('button', { name: 'Write it down' }).dblclick();
  await page.getByText('case confirmed, wait for the payment').waitFor();
  const sent = server.asked.filter((one) => one.path === path);
  assert.equal(sent.length, 1, 'a double click is one action');
  const { event_id, true_cause, ...rest } = sent[0].body;
  assert.deepEqual(rest, { seller: 'acme', lang: 'en', correct_amount: '1100.10' });
  assert.ok(true_cause && event_id);
  await page.waitForFunction(() => window.page.runs > 1); // the case is read again, once it was copied
});

test('a dialog can be left without doing anything, with the keyboard', async () => {
  await show('query', { value: explain });
  await button('False alarm').click();
  await page.getByRole('dialog').getByText('Nothing is wrong.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(
    server.asked.filter(({ path }) => path.startsWith('cases/')),
    [],
  );
});

test('an action whose outcome is unsure stays open, and is the same event when it is sent again', async () => {
  const path = `cases/${caseId}/confirm`;
  server.answers.set(`POST ${path}`, { status: 502, answer: { message: 'cannot tell whether Kafka took it' } });
  await show('query', { value: explain });
  await button('It is an error').click();
  const dialog = page.getByRole('dialog');
  const send = dialog.getByRole('button', { name: 'Write it down' });
  assert.ok(await send.isDisabled(), 'the correct amount is required');
  await dialog.getByLabel(/Correct amount/).fill('0'); // of a duplicate
  await send.click();
  await dialog.getByText('cannot tell whether Kafka took it').waitFor();
  await dialog.getByText('Perhaps not noted.').waitFor();
  server.answers.set(`POST ${path}`, { answer: { message: 'Noted already.' } });
  await send.click();
  await page.getByText('Noted already.').waitFor();
  await dialog.waitFor({ state: 'detached' });
  const [first, second] = server.asked.filter((one) => one.path === path).map(({ body }) => body);
  assert.equal(first.correct_amount, '0');
  assert.deepEqual(second, first);
  assert.match(complaints.pop(), /502/);
});

test('all that is owed came back when no amount is typed', async () => {
  const path = `cases/${caseId}/recovered`;
  server.answers.set(`POST ${path}`, { answer: { message: 'Noté : 132,98 EUR encaissés.' } });
  await show('query', { value: explain, language: 'fr-FR' });
  await button('Argent récupéré').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/Comment est-ce réglé/).click();
  await page.getByRole('option', { name: 'Paiement immédiat' }).waitFor(); // as boards call it
  await page.keyboard.press('Escape'); // closes the list
  await dialog.getByRole('button', { name: 'Enregistrer' }).click();
  await page.getByText('132,98 EUR encaissés.').waitFor();
  const { event_id, ...rest } = server.asked.find((one) => one.path === path).body;
  assert.deepEqual(rest, { seller: 'acme', lang: 'fr' });
  assert.ok(event_id);
});

test('a case of any kind is chosen among the latest and acted on, without the amount that only invoices have', async () => {
  const answer = structuredClone(recorded('query-cases'));
  const { schema, data } = answer.results.A.frames[0];
  const put = (name, value) => (data.values[schema.fields.findIndex((one) => one.name === name)][1] = value);
  put('kind', 'incident');
  put('summary', 'Many invoices lack their discount.');
  server.answers.set('POST /api/ds/query', { answer });
  const path = `cases/${caseId}/confirm`;
  server.answers.set(`POST ${path}`, { answer: { message: 'Confirmed; recoup learns from it.' } });
  await show('query', { value: { refId: 'A', queryType: 'cases', filters: { seller: 'acme' } } });
  await choose('Case to act on', 'Many invoices lack their discount.');
  const shown = await page.evaluate(() => [window.page.channel, window.page.rows]);
  assert.deepEqual(shown, [schema.meta.channel, data.values[0].length], 'what comes again on the channel is shown once');
  await picture('case');
  await button('It is an error').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Write it down' }).click();
  await page.getByText('Confirmed; recoup learns from it.').waitFor();
  const sent = server.asked.find((one) => one.path === path);
  assert.deepEqual(Object.keys(sent.body).sort(), ['event_id', 'lang', 'seller', 'true_cause']);
});

test('what the backend refuses is shown as it says it', async () => {
  const refused = { status: 409, answer: { message: 'cannot get money back: nobody has confirmed an error' } };
  server.answers.set(`POST cases/${caseId}/recovered`, refused);
  await show('query', { value: explain });
  await button('Money came back').click();
  await page
    .getByRole('dialog')
    .getByLabel(/Amount received/)
    .fill('67.60');
  await page.getByRole('dialog').getByRole('button', { name: 'Write it down' }).click();
  await page.getByText(refused.answer.message).waitFor();
  await page.getByText('Not noted').waitFor();
  assert.match(complaints.pop(), /409/);
});

test('a viewer reads the case and has no buttons', async () => {
  await show('query', { value: explain, role: 'Viewer' });
  await page.getByText('To act on them takes the role Editor.').waitFor();
  for (const name of ['Acknowledge', 'It is an error', 'False alarm', 'Money came back']) {
    assert.equal(await button(name).count(), 0, name);
  }
});

test('settings are filled in, secrets are written and never shown', async () => {
  await show('config', { value: { jsonData: {}, secureJsonData: {}, secureJsonFields: { kafkaPassword: true } } });
  await page.getByText('Fill this in').waitFor();
  await page.getByLabel(/^Address/).fill('clickhouse');
  await page.getByLabel(/^Address/).blur();
  await page.getByText('Write host and port').waitFor();
  await page.getByLabel(/^Address/).fill('clickhouse:9440');
  await page.getByLabel(/^Address/).blur();
  await page.getByLabel('Password').first().fill('secret');
  await page.getByText('Encrypt the connection (TLS)').first().click();
  await page.getByLabel('Certificate of the authority').fill('-----BEGIN CERTIFICATE-----');
  await page.getByLabel('Brokers').fill('kafka-1:9092, kafka-2:9092');
  await page.getByLabel('Brokers').blur();
  await choose('Sign in', 'SCRAM-SHA-512');
  await page.getByText('To sign in takes a user.').waitFor();
  await page.getByLabel(/^User/).last().fill('grafana');
  await page.getByLabel(/^User/).last().blur();
  const { jsonData, secureJsonData } = await saved();
  assert.deepEqual(jsonData, {
    clickhouse: { address: 'clickhouse:9440', tls: { enabled: true } },
    kafka: { brokers: ['kafka-1:9092', 'kafka-2:9092'], sasl: { mechanism: 'SCRAM-SHA-512', username: 'grafana' } },
  });
  assert.deepEqual(secureJsonData, { clickhousePassword: 'secret', tlsCa: '-----BEGIN CERTIFICATE-----' });
  await picture('settings');
  await button('Reset').click(); // Kafka's password, which was there before
  const reset = await saved();
  assert.equal(reset.secureJsonFields.kafkaPassword, false);
  assert.equal(JSON.stringify(reset.jsonData).includes('secret'), false);
});

test('the row limit is advanced, and checked', async () => {
  await show('config', { value: { jsonData: { clickhouse: { address: 'c:9000' } }, secureJsonFields: {} } });
  assert.equal(await page.getByLabel('Rows of one answer at most').isVisible(), false);
  await page.getByText('Advanced').click();
  await page.getByLabel('Rows of one answer at most').fill('50000');
  await page.getByLabel('Rows of one answer at most').blur();
  await page.getByText('A whole number from 1 to 10000.').waitFor();
});

test('provisioned settings are shown and cannot be changed', async () => {
  await show('config', {
    value: { readOnly: true, jsonData: { clickhouse: { address: 'c:9000' } }, secureJsonFields: {} },
  });
  await page.getByText('This data source is provisioned').waitFor();
  assert.ok(await page.getByLabel(/^Address/).isDisabled());
});

test('a variable lists the values of a filter', async () => {
  await show('variable', { value: { refId: 'A' } });
  await choose('Values to choose from', 'Causes'); // the seller follows by itself: there is one
  await page.waitForFunction(() => window.page.saved.filters?.seller);
  const query = await saved();
  assert.deepEqual(query, { refId: 'A', queryType: 'values', filter: 'cause', filters: { seller: 'acme' } });
  const values = await page.evaluate((asked) => window.page.find(asked), query);
  assert.deepEqual(
    values.map(({ value }) => value),
    recorded('values').cause.map(({ value }) => value),
  );
});

test('annotations mark all kinds of events until some are left out', async () => {
  await show('annotation', { value: { name: 'recoup' } });
  await button('Remove Incidents').click();
  const { target } = await saved();
  assert.equal(target.queryType, 'annotations');
  assert.deepEqual(target.filters.kinds, ['model', 'release']);
});
