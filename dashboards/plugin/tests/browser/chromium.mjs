// Finds a browser: the one that CHROMIUM names, else the one that comes with the package @sparticuz/chromium,
// which is pinned with all others and needs neither root nor anything of the system.
import { mkdirSync, writeFileSync } from 'node:fs';
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
  const browser = process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM } : await packaged();
  return chromium.launch({ ...browser, headless: true, args: flags });
}

/** packaged returns where the packaged Chromium is, unpacked once beside the packages, and its environment. */
async function packaged() {
  const directory = join(root, 'node_modules/.cache/chromium');
  mkdirSync(directory, { recursive: true });
  return { executablePath: await unpack(directory), env: { ...process.env, FONTCONFIG_FILE: listFonts(directory) } };
}

/** listFonts lists the packaged fonts: the package's own list has none but those below /tmp, and Chromium ends
 * where it finds no font. */
function listFonts(directory) {
  const list = join(directory, 'fonts.conf');
  writeFileSync(
    list,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(directory, 'fonts')}</dir>
  <cachedir>${join(directory, 'fonts-cache')}</cachedir>
</fontconfig>
`
  );
  return list;
}

async function unpack(directory) {
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
