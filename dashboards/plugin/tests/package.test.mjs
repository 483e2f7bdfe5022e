// Checks the packed plugin in the way of the offline analyzers of Grafana's plugin validator, which cannot be pinned:
// neither as a Go module nor as an npm package (that one downloads it when it runs). What is in the archive,
// whether plugin.json says the truth, and whether module.js is fit for Grafana. validator.yaml is for the real one.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { unzipSync } from 'fflate';

import { lent, root } from '../tools/build.mjs';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const zip = readFileSync(join(root, `recoup-datasource-${version}.zip`));
const files = unzipSync(zip);
const text = (path) => new TextDecoder().decode(files[`recoup-datasource/${path}`]);
const has = (path) => files[`recoup-datasource/${path}`]?.length > 0;
const manifest = JSON.parse(text('plugin.json'));
const programs = Object.keys(files).filter((path) => path.includes(`/${manifest.executable}_`));

/** modes reads the Unix modes of all files from the archive's directory. */
function modes() {
  const found = {};
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 46)) {
    const name = zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28));
    found[name] = zip.readUInt32LE(at + 38) >>> 16;
  }
  return found;
}

test('the archive is one folder named like the plugin, with all that belongs to one', () => {
  assert.deepEqual([...new Set(Object.keys(files).map((path) => path.split('/')[0]))], [manifest.id]);
  for (const path of ['module.js', 'module.js.map', 'plugin.json', 'README.md', 'CHANGELOG.md', 'LICENSE']) {
    assert.ok(has(path), path);
  }
  assert.ok(!Object.keys(files).some((path) => /node_modules|\.DS_Store|MANIFEST\.txt/.test(path)));
});

test('plugin.json keeps to its schema', () => {
  assert.match(manifest.id, /^[0-9a-z]+-([0-9a-z]+-)?(app|panel|datasource)$/);
  assert.ok(manifest.id.endsWith(`-${manifest.type}`));
  assert.notEqual(manifest.name, manifest.id);
  assert.equal(manifest.info.version, version);
  assert.match(manifest.info.updated, /^\d{4}-\d{2}-\d{2}$/);
  assert.match(manifest.dependencies.grafanaDependency, /^>=\d+\.\d+\.\d+$/);
  assert.ok(manifest.info.description && manifest.info.keywords.length > 0 && manifest.info.author.name);
  assert.ok(text('CHANGELOG.md').includes(`## ${version}`), 'the changelog tells of this version');
});

test('every picture that plugin.json names is there, and no drawing runs scripts', () => {
  const { logos, screenshots } = manifest.info;
  const pictures = [logos.small, logos.large, ...screenshots.map(({ path }) => path)];
  for (const path of pictures) {
    assert.ok(has(path), path);
  }
  for (const path of pictures.filter((name) => name.endsWith('.svg'))) {
    assert.doesNotMatch(text(path), /<script|\son\w+=|javascript:|foreignObject/i, path);
  }
});

test('the backend is there, may be started, and comes from these sources', () => {
  assert.ok(programs.length > 0);
  for (const path of programs) {
    assert.equal(modes()[path] & 0o777, 0o755, path);
  }
  for (const [path, mode] of Object.entries(modes())) {
    assert.equal(mode & 0o022, 0, `${path} may be changed by others`);
  }
  const sums = text('go_plugin_build_manifest')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(':'));
  for (const [sum, path] of sums) {
    assert.equal(
      createHash('sha256')
        .update(readFileSync(join(root, path)))
        .digest('hex'),
      sum,
      path,
    );
  }
});

test('module.js is AMD, borrows only what every Grafana from 11.6 on lends, and brings its sources', () => {
  const module = text('module.js');
  assert.ok(module.startsWith(`define(${JSON.stringify(lent)}, function`));
  // React 18 and 19 differ in these; @grafana/i18n and react/jsx-runtime are not lent by Grafana 11.6.
  assert.doesNotMatch(module, /jsx-runtime|__SECRET_INTERNALS|findDOMNode|ReactDOM\.render|@grafana\/i18n/);
  assert.doesNotMatch(module, /console\.(log|debug)|window\.open|google-analytics|eval\(/);
  const map = JSON.parse(text('module.js.map'));
  map.sources.forEach((source, index) => {
    const path = join(root, 'src', source.replace(/^.*?src\//, ''));
    assert.equal(map.sourcesContent[index], readFileSync(path, 'utf8'), source);
  });
});

test("the licence is the repository's own, and no link is broken or unsafe", () => {
  assert.equal(text('LICENSE'), readFileSync(join(root, '../../LICENSE'), 'utf8'));
  for (const path of ['README.md', 'CHANGELOG.md']) {
    assert.doesNotMatch(text(path), /http:\/\/|\]\(\.|create-plugin/, path);
  }
});

test('packages are pinned without naming where they came from', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const [name, { resolved, integrity }] of Object.entries(lock.packages)) {
    assert.equal(resolved, undefined, name);
    assert.ok(name === '' || integrity, name);
  }
});
