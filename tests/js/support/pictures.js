/**
 * Pictures of pages, compared with those in `tests/js/screens`. They are kept at half size and with few colours, which
 * is enough to see a panel that moved and keeps the folder small. `SCREENS=update` writes them anew.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pixelmatch from 'pixelmatch';
import UPNG from 'upng-js';

const FOLDER = join(import.meta.dirname, '../screens');
const COLOURS = 64;
/** How far a colour may be off: the kept pictures have few of them, and letters have soft edges. */
const THRESHOLD = 0.2;
/** What a browser of another build draws otherwise, measured: under 0.4 %. A row that moves is 2 % and more. */
const SHARE_MAX = 0.01;
const AGAIN_MAX = 20;

export const isUpdate = process.env.SCREENS === 'update';

/** The pictures are of one version of Chromium: another draws letters otherwise. */
export async function isDrawnBy(browser) {
  const [major] = browser.version().split('.');
  const path = join(FOLDER, 'chromium.txt');
  if (isUpdate) {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(path, `${major}\n`);
  }
  return existsSync(path) && (await readFile(path, 'utf8')).trim() === major;
}

/** Compares what a page shows now with its picture, or writes the picture. Answers what is wrong, or nothing. */
export async function compare(page, name) {
  const shown = decode(await steady(page));
  const path = join(FOLDER, `${name}.png`);
  if (isUpdate) {
    await writeFile(path, encode(shown, COLOURS));
    return null;
  }
  if (!existsSync(path)) return `${name} has no picture: SCREENS=update writes it`;
  const kept = decode(await readFile(path));
  if (kept.width !== shown.width || kept.height !== shown.height)
    return `${name} is ${shown.width} × ${shown.height}, and was ${kept.width} × ${kept.height}`;
  const difference = new Uint8Array(shown.rgba.length);
  const { width, height } = shown;
  const differing = pixelmatch(kept.rgba, shown.rgba, difference, width, height, { threshold: THRESHOLD });
  const share = differing / (width * height);
  if (share <= SHARE_MAX) return null;
  const folder = join(tmpdir(), 'umbler-hub-screens');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.png`), encode(shown, 256));
  await writeFile(join(folder, `${name}-difference.png`), encode({ width, height, rgba: difference }, 16));
  return `${name} differs in ${(share * 100).toFixed(1)} % of its points; see ${folder}`;
}

/** A picture in full size for the README. */
export async function keep(page, path) {
  await writeFile(path, encode(decode(await steady(page)), 128));
}

/** What the page shows once two pictures of it are the same: nothing is still on its way. */
async function steady(page) {
  let before = null;
  // A film that does not come turns a wheel.
  await page.evaluate(() => {
    for (const film of document.querySelectorAll('video')) film.controls = false;
  });
  for (let left = AGAIN_MAX; left > 0; left -= 1) {
    const shot = await page.screenshot({ animations: 'disabled', caret: 'hide' });
    if (before?.equals(shot)) return shot;
    before = shot;
  }
  return assert.fail('the page goes on moving');
}

function decode(png) {
  const image = UPNG.decode(png);
  return { width: image.width, height: image.height, rgba: new Uint8Array(UPNG.toRGBA8(image)[0]) };
}

function encode({ width, height, rgba }, colours) {
  return Buffer.from(UPNG.encode([rgba.buffer], width, height, colours));
}
