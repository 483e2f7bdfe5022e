// Stands in for Grafana in the browser tests: lends its own libraries, the real ones, to the plugin's module.js
// as Grafana's loader does, and shows one of the plugin's editors as its page would.
import * as emotion from '@emotion/css';
import * as data from '@grafana/data';
import * as runtime from '@grafana/runtime';
import * as ui from '@grafana/ui';
import React, { useEffect, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import * as rxjs from 'rxjs';
import { catchError, from, map, of } from 'rxjs';

const lent: Record<string, unknown> = {
  react: React,
  rxjs,
  '@emotion/css': emotion,
  '@grafana/data': data,
  '@grafana/runtime': runtime,
  '@grafana/ui': ui,
};

/** What a test can ask of the page. */
interface Page {
  /** Shows an editor: query, config, variable or annotation. */
  show: (editor: string, options: Options) => Promise<void>;
  /** What the editor last gave to onChange. */
  saved: unknown;
  /** How often the editor asked to run its query. */
  runs: number;
  /** Rows of the last answer, and the channel it goes on with. */
  rows: number;
  channel: string | undefined;
  /** Reads the values of a variable of the dashboard. */
  find: (query: data.DataQuery) => Promise<unknown>;
}

interface Options {
  /** The query, the settings of the data source, or the annotation. */
  value: Record<string, unknown>;
  /** Role of the reader; by default Editor. */
  role?: string;
  /** By default en-US. */
  language?: string;
  /** Variables of the dashboard, by name. */
  variables?: Record<string, string | string[]>;
  theme?: 'light' | 'dark';
}

/** Grafana's calls to its server, over fetch. */
async function call(options: runtime.BackendSrvRequest) {
  const query = options.params ? `?${new URLSearchParams(options.params as Record<string, string>)}` : '';
  const response = await fetch(`/${options.url.replace(/^\//, '')}${query}`, {
    method: options.method ?? 'GET',
    headers: { 'Content-Type': 'application/json' },
    ...(options.data !== undefined && { body: JSON.stringify(options.data) }),
  });
  const text = await response.text();
  const answer = {
    data: text ? JSON.parse(text) : undefined,
    status: response.status,
    statusText: response.statusText,
  };
  if (!response.ok) {
    throw answer;
  }
  return {
    ...answer,
    ok: true,
    headers: response.headers,
    redirected: false,
    type: response.type,
    url: response.url,
    config: options,
  };
}

function templates(variables: Record<string, string | string[]>) {
  const replace = (text = '', _scoped?: unknown, format?: string | ((value: string | string[]) => string)) =>
    text.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => {
      const value = variables[name];
      return value === undefined ? whole : typeof format === 'function' ? format(value) : [value].flat().join(',');
    });
  return {
    replace,
    getVariables: () => Object.keys(variables).map((name) => ({ name })),
    containsTemplate: (text?: string) => /\$/.test(text ?? ''),
    updateTimeRange: () => {},
  };
}

/** follow is a channel on which everything comes once more that the answer had, and nothing else. */
function follow({ addr, frame }: runtime.LiveDataStreamOptions) {
  page.channel = data.toLiveChannelId(addr);
  const { refId: _, ...answer } = data.dataFrameFromJSON(frame!);
  const fields = answer.fields.map((field) => ({ ...field, values: [...field.values, ...field.values] }));
  return of({ data: [{ ...answer, fields, length: 2 * answer.length }] });
}

function standIn({ role = 'Editor', language = 'en-US', variables = {} }: Options) {
  const server = {
    fetch: (options: runtime.BackendSrvRequest) => from(call(options)),
    get: (url: string, params?: Record<string, unknown>) => call({ url, params }).then((answer) => answer.data),
    post: (url: string, body?: unknown) => call({ url, method: 'POST', data: body }).then((answer) => answer.data),
  };
  runtime.setBackendSrv(server as unknown as runtime.BackendSrv);
  runtime.setGrafanaLiveSrv({ getDataStream: follow } as unknown as runtime.GrafanaLiveSrv);
  runtime.setTemplateSrv(templates(variables) as unknown as runtime.TemplateSrv);
  Object.assign(runtime.config.bootData, { user: { orgRole: role, language, isGrafanaAdmin: false } });
}

/** load takes module.js as an AMD loader does. */
async function load(): Promise<data.DataSourcePlugin<any, any, any, any>> {
  const source = await (await fetch('/module.js')).text();
  return new Promise((resolve, reject) => {
    const define = (names: string[], make: (...modules: unknown[]) => { plugin: data.DataSourcePlugin<any> }) => {
      const unknown = names.find((name) => !(name in lent));
      if (unknown) {
        reject(new Error(`module.js wants ${unknown}, which Grafana does not lend`));
      }
      resolve(make(...names.map((name) => lent[name])).plugin);
    };
    new Function('define', `${source}\n//# sourceURL=module.js`)(define);
  });
}

const instance = { id: 1, uid: 'recoup', type: 'recoup-datasource', name: 'recoup', url: '', jsonData: {}, meta: {} };

function queryOf(query: data.DataQuery) {
  const now = data.dateTime();
  return {
    requestId: 'Q1',
    targets: [query],
    range: { from: data.dateTime(0), to: now, raw: { from: 'now-30d', to: 'now' } },
    rangeRaw: { from: 'now-30d', to: 'now' },
    scopedVars: {},
    intervalMs: 1000,
    maxDataPoints: 500,
  };
}

let root: Root | undefined;

async function show(editor: string, options: Options): Promise<void> {
  standIn(options);
  const plugin = await load();
  const source = new plugin.DataSourceClass(instance as any);
  page.saved = options.value;
  page.runs = 0;
  page.channel = undefined;
  page.find = (query) =>
    rxjs.firstValueFrom(source.variables.query(queryOf(query)).pipe(map((answer: any) => answer.data)));
  const theme = data.createTheme({ colors: { mode: options.theme ?? 'dark' } });
  root?.unmount();
  root = createRoot(document.getElementById('root')!);
  root.render(
    <data.ThemeContext.Provider value={theme}>
      <ui.GlobalStyles />
      <ui.PortalContainer />
      <main style={{ padding: 24, background: theme.colors.background.primary }}>
        <Editor kind={editor} plugin={plugin} source={source} first={options.value} />
      </main>
    </data.ThemeContext.Provider>,
  );
}

function Editor({ kind, plugin, source, first }: { kind: string; plugin: any; source: any; first: any }) {
  const [value, setValue] = useState<any>(first);
  const [answer, setAnswer] = useState<any>();
  const save = (next: unknown) => {
    page.saved = next;
    setValue(next);
  };
  const run = () => {
    page.runs++;
    const query = page.saved as data.DataQuery;
    if (!source.filterQuery(query)) {
      return setAnswer(undefined);
    }
    const answers = source.query(queryOf(query)).pipe(catchError((error) => of({ data: [], error })));
    answers.subscribe(({ data: series, error }: any) => {
      page.rows = series[0]?.length ?? 0;
      setAnswer({ series, error, state: 'Done' });
    });
  };
  useEffect(run, []);
  const props = { datasource: source, query: value, onChange: save, onRunQuery: run, data: answer };
  switch (kind) {
    case 'query':
      return <plugin.components.QueryEditor {...props} />;
    case 'config':
      return <plugin.components.ConfigEditor options={value} onOptionsChange={save} />;
    case 'variable':
      return <source.variables.editor {...props} />;
    default:
      return <source.annotations.QueryEditor {...props} annotation={value} onAnnotationChange={save} />;
  }
}

const page: Page = {
  show,
  saved: undefined,
  runs: 0,
  rows: 0,
  channel: undefined,
  find: () => Promise.reject(new Error('no editor is shown')),
};
Object.assign(window, { page });
