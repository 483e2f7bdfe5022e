// Finds a browser: the one that CHROMIUM names, else the one that comes with the package @sparticuz/chromium,
// which is pinned with all others and needs neither root nor anything of the system.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { root } from '../../tools/build.mjs';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-zygote',
];

/** launch starts headless Chromium. */
export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? (await unpacked()), headless: true, args: flags });
}

/** unpacked returns the packaged Chromium, unpacked once beside the packages. */
async function unpacked() {
  const directory = join(root, 'node_modules/.cache/chromium');
  mkdirSync(directory, { recursive: true });
  const temporary = process.env.TMPDIR;
  process.env.TMPDIR = directory; // the package unpacks into the temporary directory,
  process.env.AWS_LAMBDA_JS_RUNTIME = 'nodejs20.x'; // and its libraries (NSS) for this name only
  try {
    const { default: packaged } = await import('@sparticuz/chromium');
    return await packaged.executablePath();
  } finally {
    if (temporary === undefined) {
      delete process.env.TMPDIR;
    } else {
      process.env.TMPDIR = temporary;
    }
  }
}
