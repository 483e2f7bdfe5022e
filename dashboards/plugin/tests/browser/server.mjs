// Serves the page of the browser tests, and answers as the backend did when its answers were recorded.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

import { root } from '../../tools/build.mjs';

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
};
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>recoup</title>
<link rel="icon" href="data:,">
<script>window.grafanaBootData = { settings: {}, user: {}, navTree: [] };</script>
<div id="root"></div>
<script type="module" src="/grafana.js"></script>
</html>`;

/** recorded reads one answer of the backend. */
export function recorded(name) {
  return JSON.parse(readFileSync(join(root, 'tests/browser/recorded', `${name}.json`), 'utf8'));
}

/** serve starts the server; its answers can be overridden by "METHOD path", and what was asked is kept. */
export async function serve() {
  const asked = [];
  const answers = new Map();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (!url.pathname.startsWith('/api/')) {
      return file(url.pathname, response);
    }
    let text = '';
    for await (const chunk of request) {
      text += chunk;
    }
    const body = text ? JSON.parse(text) : undefined;
    const path = url.pathname.replace('/api/datasources/uid/recoup/resources/', '');
    asked.push({ method: request.method, path, parameters: Object.fromEntries(url.searchParams), body });
    const { status = 200, answer } = answers.get(`${request.method} ${path}`) ?? replay(url, path, body);
    response.writeHead(status, { 'Content-Type': types['.json'] }).end(JSON.stringify(answer));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, asked, answers, close: () => server.close() };
}

function file(path, response) {
  if (path === '/') {
    return response.writeHead(200, { 'Content-Type': types['.html'] }).end(page);
  }
  const full = join(root, fileOf(normalize(path)));
  try {
    // Grafana's own fonts are in no package: the browser's stand in.
    const content = extname(path) === '.woff2' ? '' : readFileSync(full);
    response.writeHead(200, { 'Content-Type': types[extname(full)] ?? 'application/octet-stream' }).end(content);
  } catch {
    // Icons that are in no package, either.
    const icon = extname(path) === '.svg';
    response
      .writeHead(icon ? 200 : 404, icon ? { 'Content-Type': types['.svg'] } : {})
      .end(icon ? '<svg xmlns="http://www.w3.org/2000/svg"/>' : '');
  }
}

/** fileOf maps a path as Grafana's server does: its icons come from @grafana/ui. */
function fileOf(path) {
  if (path.startsWith('/public/')) {
    return join('node_modules/@grafana/ui/dist', path.replace('/build/', '/'));
  }
  return join(path === '/module.js' ? 'dist' : 'build/page', path);
}

/** replay finds the recorded answer to a call. */
function replay(url, path, body) {
  if (path === '/api/ds/query') {
    const { refId, queryType } = body.queries[0];
    const { results } = recorded(`query-${queryType}`);
    return { answer: { results: { [refId]: Object.values(results)[0] } } };
  }
  const values = /^values\/(.+)$/.exec(path)?.[1];
  if (values) {
    const known = values === 'seller' || url.searchParams.has('seller'); // without a seller there are none
    return { answer: known ? recorded('values')[values] : [] };
  }
  return path === 'questions'
    ? { answer: recorded('questions') }
    : { status: 404, answer: { message: `nothing recorded for ${path}` } };
}
