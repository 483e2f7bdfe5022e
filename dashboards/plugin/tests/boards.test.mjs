// Holds every generated board to the types that Grafana publishes (@grafana/schema): the compiler refuses what
// they do not know, what is missing, and what has another type.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { root } from '../tools/build.mjs';

const boards = join(root, '../../deploy/grafana/dashboards');
const work = join(root, 'build/boards');
const names = readdirSync(boards, { recursive: true }).filter((path) => path.endsWith('.json'));
const read = (name) => JSON.parse(readFileSync(join(boards, name), 'utf8'));

/** check compiles boards, by name, and returns what the compiler says. */
function check(given) {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const [name, board] of Object.entries(given)) {
    const json = JSON.stringify(board, null, 1);
    const code = `import type { Board } from '../../tests/boards/board';\nexport const board = ${json} satisfies Board;\n`;
    writeFileSync(join(work, `${name.replaceAll(/[/.]/g, '-')}.ts`), code);
  }
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'] }));
  return spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', work], { encoding: 'utf8' })
    .stdout;
}

test('every board keeps to the schema of Grafana', () => {
  assert.ok(names.length >= 28, `found ${names.length} boards, want 7 of two sources in two languages`);
  assert.equal(check(Object.fromEntries(names.map((name) => [name, read(name)]))), '');
});

test('what breaks the schema is seen', () => {
  const board = read(names[0]);
  const panels = board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  const series = panels.find(({ type }) => type === 'timeseries');
  const broken = {
    option: { ...series, options: { ...series.options, legnd: {} } },
    value: { ...series, options: { ...series.options, legend: { displayMode: 'tabel' } } },
    style: { ...series, fieldConfig: { ...series.fieldConfig, defaults: { custom: { lineWidth: 'thick' } } } },
    field: { ...series, fieldConfig: { ...series.fieldConfig, defaults: { units: 's' } } },
    type: { ...series, type: 'timesseries' },
    panel: { ...series, gridpos: series.gridPos },
    place: { ...series, gridPos: { h: '8', w: 12, x: 0, y: 0 } },
    query: { ...series, targets: [{ refId: 'A', queryType: 'quesiton', question: 'loss' }] },
  };
  const said = check(
    Object.fromEntries(Object.entries(broken).map(([fault, panel]) => [fault, { ...board, panels: [panel] }])),
  );
  for (const fault of Object.keys(broken)) {
    assert.match(said, new RegExp(`${fault}\\.ts\\(`), `the compiler does not see a wrong ${fault}`);
  }
});
