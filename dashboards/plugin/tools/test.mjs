// Runs the tests on what `npm run build` wrote: logic, editors in headless Chromium, package, and the boards
// against Grafana's schema.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

import { root } from './build.mjs';

if (!existsSync(join(root, 'dist/module.js'))) {
  console.error('cannot test: there is no dist/module.js; first: npm run build');
  process.exit(1);
}
const unit = readdirSync(join(root, 'tests/unit'));
await Promise.all([
  build({
    entryPoints: unit.map((file) => join(root, 'tests/unit', file)),
    outdir: join(root, 'build/unit'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  }),
  build({
    entryPoints: [join(root, 'tests/browser/grafana.tsx')],
    outdir: join(root, 'build/page'),
    bundle: true,
    splitting: true, // what @grafana/ui loads late stays out of the first file
    format: 'esm',
    target: 'es2022',
    loader: { '.svg': 'dataurl', '.png': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"development"', 'process.env': '{}' },
    logLevel: 'error',
  }),
]);
const files = [
  ...unit.map((file) => join('build/unit', file.replace(/\.ts$/, '.mjs'))),
  'tests/browser/editors.test.mjs',
  'tests/package.test.mjs',
  'tests/boards.test.mjs',
];
const { status } = spawnSync(process.execPath, ['--test', ...files], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
