/**
 * Brazilian phones in the forms that people write, as the hub searches them (`src/journal/phone.rs`, which says why): with
 * and without country code, leading zeros and the ninth digit. Phones of other countries have one form.
 */

import { fold } from './fold.ts';

const COUNTRY_CODE = '55';
/** Digits of a number without area code and ninth digit. */
const NUMBER_DIGITS = 8;
const AREA_DIGITS = 2;
/** Digits between the leading 0 and the area code. */
const CARRIER_DIGITS = 2;
/** What a phone is written with. */
const PHONE_LIKE = /^[\d +\-().,/]+$/;

interface Brazilian {
  area: string;
  /** Eight digits, without the ninth. */
  number: string;
  hasNinth: boolean;
}

/** True where a search box's text is part of a phone, however either of them is written. */
export function phoneHolds(phone: string | null, search: string): boolean {
  const written = fold(search).trim();
  const asked = digitsOf(written);
  if (phone === null || asked === '' || !PHONE_LIKE.test(written)) return false;
  const forms = askedForms(asked);
  return storedForms(phone).some((stored) => forms.some((form) => stored.includes(form)));
}

/** The forms of a phone: any part of it that somebody writes is a part of one of them. */
export function storedForms(phone: string): string[] {
  const all = digitsOf(phone);
  const isForeign = phone.trimStart().startsWith('+') && !all.startsWith(COUNTRY_CODE);
  const read = isForeign ? null : brazilian(all);
  if (read === null) return [all];
  const { area, number, hasNinth } = read;
  const form = (withNinth: boolean) => `${COUNTRY_CODE}${area}${withNinth ? '9' : ''}${number}`;
  const forms = mayHaveNinth(number) ? [form(hasNinth), form(!hasNinth)] : [form(hasNinth)];
  return form(hasNinth).includes(all) ? forms : [...forms, all];
}

/** The forms in which digits that are searched for may occur; the first one is as they were typed. */
export function askedForms(asked: string): string[] {
  return [...new Set([asked, ...otherForms(asked)])].filter((form) => form !== '');
}

function otherForms(asked: string): string[] {
  const read = brazilian(asked);
  if (read !== null) {
    const { area, number, hasNinth } = read;
    return (mayHaveNinth(number) ? [hasNinth, !hasNinth] : [hasNinth]).flatMap((withNinth) =>
      ['', COUNTRY_CODE, '0'].map((before) => `${before}${area}${withNinth ? '9' : ''}${number}`),
    );
  }
  // A part of a phone: perhaps its beginning, perhaps the number without an area code.
  const rest = withoutZeros(asked);
  const forms = [rest];
  if (rest.startsWith('550')) forms.push(COUNTRY_CODE + rest.slice(3));
  if (rest.length === NUMBER_DIGITS + 1 && rest.startsWith('9')) {
    if (mayHaveNinth(rest.slice(1))) forms.push(rest.slice(1));
  } else if (asked.length === NUMBER_DIGITS && asked >= '6') forms.push(`9${asked}`);
  return forms;
}

/** Area code and number; null where the digits are not a whole number with its area code. */
function brazilian(all: string): Brazilian | null {
  const plain = withoutZeros(all);
  // `55` is also an area code, so the rest decides.
  const rest = plain.startsWith(COUNTRY_CODE) ? national(withoutZeros(plain.slice(COUNTRY_CODE.length))) : null;
  return rest ?? national(plain);
}

function national(digits: string): Brazilian | null {
  const [area, rest] = [digits.slice(0, AREA_DIGITS), digits.slice(AREA_DIGITS)];
  const hasNinth = rest.length === NUMBER_DIGITS + 1 && rest.startsWith('9');
  const number = hasNinth ? rest.slice(1) : rest;
  const isNumber = number.length === NUMBER_DIGITS && (hasNinth || number >= '2');
  return isNumber && !area.includes('0') ? { area, number, hasNinth } : null;
}

/** Of eight digits; those that begin with 2 to 5 are a landline. */
function mayHaveNinth(number: string): boolean {
  return !/^[2-5]/.test(number);
}

/** Without the `00` of an international call, or the `0` of a national one with its carrier code. */
function withoutZeros(all: string): string {
  if (all.startsWith('00')) return all.slice(2);
  if (!all.startsWith('0')) return all;
  const rest = all.slice(1);
  const whole = AREA_DIGITS + NUMBER_DIGITS;
  const hasCarrier = rest.length >= whole + CARRIER_DIGITS && rest.length <= whole + 1 + CARRIER_DIGITS;
  return hasCarrier && !rest.startsWith(COUNTRY_CODE) ? rest.slice(CARRIER_DIGITS) : rest;
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}
