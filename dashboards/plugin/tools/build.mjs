// Builds the plugin into dist/ as Grafana wants it, and packs it:
//
//   node tools/build.mjs                  front end, backend for this machine, dist/ and the zip
//   node tools/build.mjs --to DIRECTORY   the same, and a copy in DIRECTORY/recoup-datasource
//
// The backend is built for Linux on this machine's processor unless GOOS and GOARCH say otherwise.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { build } from 'esbuild';
import { zipSync } from 'fflate';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = JSON.parse(readFileSync(join(root, 'src/plugin.json'), 'utf8'));

/** What Grafana lends to plugins at run time; all else is in module.js. */
export const lent = ['react', 'rxjs', '@emotion/css', '@grafana/data', '@grafana/runtime', '@grafana/ui'];

/** frontEnd writes module.js: one AMD module, which is what Grafana's loader takes. */
export async function frontEnd(directory) {
  const names = lent.map((_, index) => `lent${index}`);
  await build({
    entryPoints: [join(root, 'src/module.ts')],
    outfile: join(directory, 'module.js'),
    bundle: true,
    format: 'cjs',
    target: 'es2022',
    minify: true,
    sourcemap: true,
    sourcesContent: true,
    external: lent,
    legalComments: 'none',
    banner: {
      js:
        `define(${JSON.stringify(lent)}, function (${names.join(', ')}) {\n` +
        `var lent = {${lent.map((name, index) => `${JSON.stringify(name)}: ${names[index]}`).join(', ')}};\n` +
        'var require = function (name) { return lent[name]; }, module = { exports: {} }, exports = module.exports;',
    },
    footer: { js: 'return module.exports;\n});' },
  });
}

/** describe writes plugin.json and the files that go with it. */
function describe(directory, today) {
  const text = readFileSync(join(root, 'src/plugin.json'), 'utf8');
  writeFileSync(join(directory, 'plugin.json'), text.replace('%VERSION%', version).replace('%TODAY%', today));
  cpSync(join(root, 'src/img'), join(directory, 'img'), { recursive: true });
  for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    cpSync(join(root, file), join(directory, file));
  }
}

/** backEnd compiles the program that Grafana starts beside itself. */
function backEnd(directory) {
  const os = process.env.GOOS ?? 'linux';
  const arch = process.env.GOARCH ?? { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const file = join(directory, `${manifest.executable}_${os}_${arch}${os === 'windows' ? '.exe' : ''}`);
  const flags = ['build', '-ldflags=-s -w', '-o', file, './pkg'];
  execFileSync('go', flags, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CGO_ENABLED: '0', GOOS: os, GOARCH: arch },
  });
  chmodSync(file, 0o755);
  // The sums of the backend's sources, in the form that Grafana's own build writes and its validator reads.
  const sources = readdirSync(join(root, 'pkg'), { recursive: true }).filter((path) => path.endsWith('.go'));
  const lines = sources.sort().map((path) => `${sum(readFileSync(join(root, 'pkg', path)))}:pkg/${path}\n`);
  writeFileSync(join(directory, 'go_plugin_build_manifest'), lines.join(''));
}

const sum = (content) => createHash('sha256').update(content).digest('hex');

/** pack writes a zip that holds everything below one folder named like the plugin. */
function pack(directory, file) {
  const entries = {};
  for (const path of readdirSync(directory, { recursive: true }).sort()) {
    const full = join(directory, path);
    const { mode, mtime } = statSync(full);
    if (statSync(full).isFile()) {
      // The upper half of attrs is the Unix mode: without it the backend could not be started.
      entries[`${manifest.id}/${path}`] = [readFileSync(full), { os: 3, attrs: (mode << 16) >>> 0, mtime, level: 6 }];
    }
  }
  writeFileSync(file, zipSync(entries));
}

async function main() {
  const { values } = parseArgs({ options: { to: { type: 'string' } } });
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  describe(dist, new Date().toISOString().slice(0, 10));
  await frontEnd(dist);
  backEnd(dist);
  const zip = join(root, `${manifest.id}-${version}.zip`);
  pack(dist, zip);
  console.log(`built ${relative('.', dist) || '.'} and ${relative('.', zip)}`);
  if (values.to) {
    const target = join(resolve(values.to), manifest.id);
    rmSync(target, { recursive: true, force: true });
    cpSync(dist, target, { recursive: true });
    console.log(`copied to ${relative('.', target)}: point Grafana's plugin directory at ${values.to}`);
    console.log(`and admit it unsigned: allow_loading_unsigned_plugins = ${manifest.id}`);
  }
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  await main();
}
