import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCE = join(import.meta.dirname, '..');
const COLOUR = /#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(|light-dark\(/i;
const SIZE = /font-size:\s*[\d.]+(px|rem|em)/;

test('sizes of type and colours are named in one file, and nowhere else', () => {
  const found = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.css') && !file.endsWith('tokens.css'))
    .flatMap((file) =>
      readFileSync(join(SOURCE, file), 'utf8')
        .split('\n')
        .map((line, at) => ({ line, place: `${file}:${at + 1}` })),
    )
    .filter(({ line }) => COLOUR.test(line) || SIZE.test(line));
  assert.deepEqual(found, []);
});

const TOKENS = readFileSync(join(SOURCE, 'app/tokens.css'), 'utf8');
/** The two colours of a token, light and dark, as red, green and blue from 0 to 1. */
function coloursOf(name: string): number[][] {
  const [, ...both] = new RegExp(`--${name}: light-dark\\(#(\\w+), #(\\w+)\\)`).exec(TOKENS) ?? [];
  assert.equal(both.length, 2, name);
  return both.map((hex) => {
    const whole = hex.length === 3 ? hex.replace(/./g, '$&$&') : hex;
    return [0, 2, 4].map((at) => Number.parseInt(whole.slice(at, at + 2), 16) / 255);
  });
}
function luminance(colour: number[] = []): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function contrast(one: number[] | undefined, other: number[] | undefined): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}
/** In degrees; null of what is nearly grey. */
function hueOf([red = 0, green = 0, blue = 0]: number[] = []): number | null {
  const [low, high] = [Math.min(red, green, blue), Math.max(red, green, blue)];
  if (high - low < 0.2) return null;
  return (Math.atan2(Math.sqrt(3) * (green - blue), 2 * red - green - blue) * 180) / Math.PI;
}

test('a bar of a chart stands out from its ground, and looks like nothing that can be clicked, is in time or late', () => {
  for (const chart of ['chart-1', 'chart-2', 'chart-3']) {
    for (const [theme, colour] of coloursOf(chart).entries()) {
      assert.ok(contrast(colour, coloursOf('surface')[theme]) >= 3, `${chart} on its ground`);
      for (const meaning of ['accent', 'good', 'warn', 'bad']) {
        const [one, other] = [hueOf(colour), hueOf(coloursOf(meaning)[theme])];
        if (one === null || other === null) continue;
        const apart = Math.abs(((one - other + 540) % 360) - 180);
        assert.ok(apart > 25, `${chart} looks like ${meaning}: ${apart} degrees`);
      }
    }
  }
});
