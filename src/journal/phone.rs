//! Brazilian phones in the forms that people write: with and without country code, leading zeros and the
//! ninth digit.
//!
//! Since 2016 at the latest all mobile phones have a 9 before their eight digits, but WhatsApp still knows
//! many without it. An eight-digit number that begins with 2 to 5 is a landline, which never got one. Phones
//! of other countries have one form.

use super::fold::digits;

const COUNTRY_CODE: &str = "55";
/// Digits of a number without area code and ninth digit.
const NUMBER_DIGITS: usize = 8;
/// Digits of an area code. None of them is 0.
const AREA_DIGITS: usize = 2;
/// Digits of a carrier code, between the leading 0 and the area code.
const CARRIER_DIGITS: usize = 2;

/// One form of a stored phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneForm {
    pub digits: String,
    /// For each digit, its byte offset in the stored text; `None` if the form adds the digit.
    pub places: Vec<Option<usize>>,
}

/// Area code and number of a Brazilian phone, as parts of its digits.
struct Brazilian<'a> {
    /// Number of digits before the area code.
    before: usize,
    area: &'a str,
    /// Eight digits, without the ninth.
    number: &'a str,
    /// The ninth digit was written.
    has_ninth: bool,
}

impl<'a> Brazilian<'a> {
    /// Parses digits; `None` if they are not a complete number with its area code.
    fn read(all: &'a str) -> Option<Self> {
        let without_code = without_zeros(all).strip_prefix(COUNTRY_CODE).map(without_zeros);
        // `55` is also an area code, so the rest decides.
        without_code
            .and_then(|rest| Self::national(all, rest))
            .or_else(|| Self::national(all, without_zeros(all)))
    }

    fn national(all: &'a str, national: &'a str) -> Option<Self> {
        let (area, rest) = national.split_at_checked(AREA_DIGITS)?;
        let has_ninth = rest.len() == NUMBER_DIGITS + 1 && rest.starts_with('9');
        let number = if has_ninth { &rest[1..] } else { rest };
        let is_number = number.len() == NUMBER_DIGITS && (has_ninth || number.starts_with(|c| c >= '2'));
        let fits = is_number && !area.contains('0');
        fits.then(|| Self { before: all.len() - national.len(), area, number, has_ninth })
    }
}

/// True for an eight-digit number that may also be written with a ninth digit.
fn may_have_ninth(number: &str) -> bool {
    !number.starts_with(|c| ('2'..='5').contains(&c))
}

/// Removes the `00` of an international call, or the `0` of a national one with its carrier code.
fn without_zeros(all: &str) -> &str {
    if let Some(rest) = all.strip_prefix("00") {
        return rest;
    }
    let Some(rest) = all.strip_prefix('0') else { return all };
    let whole = AREA_DIGITS + NUMBER_DIGITS;
    let has_carrier = (whole + CARRIER_DIGITS..=whole + 1 + CARRIER_DIGITS).contains(&rest.len());
    if has_carrier && !rest.starts_with(COUNTRY_CODE) { &rest[CARRIER_DIGITS..] } else { rest }
}

/// The forms of a stored phone. Any part of it that somebody writes, with or without the ninth digit, is a
/// part of one of them.
pub fn stored_forms(phone: &str) -> Vec<PhoneForm> {
    let places: Vec<Option<usize>> =
        phone.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| Some(at)).collect();
    let all = digits(phone);
    let as_stored = PhoneForm { digits: all.clone(), places: places.clone() };
    let is_foreign = phone.trim_start().starts_with('+') && !all.starts_with(COUNTRY_CODE);
    let Some(read) = Brazilian::read(&all).filter(|_| !is_foreign) else { return vec![as_stored] };
    let area_end = read.before + AREA_DIGITS;
    let number_begin = all.len() - NUMBER_DIGITS;
    let code_places =
        all[..read.before].find(COUNTRY_CODE).map_or([None, None], |at| [places[at], places[at + 1]]);
    let form = |with_ninth: bool| {
        let ninth = with_ninth.then(|| if read.has_ninth { places[area_end] } else { None });
        let nine = if with_ninth { "9" } else { "" };
        PhoneForm {
            digits: format!("{COUNTRY_CODE}{}{nine}{}", read.area, read.number),
            places: [
                &code_places[..],
                &places[read.before..area_end],
                ninth.as_slice(),
                &places[number_begin..],
            ]
            .concat(),
        }
    };
    let mut forms = vec![form(read.has_ninth)];
    if may_have_ninth(read.number) {
        forms.push(form(!read.has_ninth));
    }
    if !forms[0].digits.contains(&all) {
        forms.push(as_stored);
    }
    forms
}

/// The forms in which digits that are searched for may occur in a text or in [`stored_forms`]. The first one
/// is as they were typed.
pub fn asked_forms(asked: &str) -> Vec<String> {
    let mut forms = vec![asked.to_owned()];
    let mut add = |form: String| {
        if !form.is_empty() && !forms.contains(&form) {
            forms.push(form);
        }
    };
    if let Some(Brazilian { area, number, has_ninth, .. }) = Brazilian::read(asked) {
        for with_ninth in [has_ninth, !has_ninth] {
            let nine = if with_ninth { "9" } else { "" };
            if with_ninth != has_ninth && !may_have_ninth(number) {
                break;
            }
            for before in ["", COUNTRY_CODE, "0"] {
                add(format!("{before}{area}{nine}{number}"));
            }
        }
        return forms;
    }
    // A part of a phone: perhaps its beginning, perhaps the number without an area code.
    let rest = without_zeros(asked);
    add(rest.to_owned());
    add(rest.strip_prefix("550").map(|rest| format!("{COUNTRY_CODE}{rest}")).unwrap_or_default());
    let number = if rest.len() == NUMBER_DIGITS + 1 { rest.strip_prefix('9') } else { None };
    match number {
        Some(number) if may_have_ninth(number) => add(number.to_owned()),
        None if asked.len() == NUMBER_DIGITS && asked.starts_with(|c| c >= '6') => add(format!("9{asked}")),
        Some(_) | None => {}
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(phone: &str) -> Vec<String> {
        stored_forms(phone).into_iter().map(|form| form.digits).collect()
    }

    #[test]
    fn every_form_of_a_phone_finds_every_other() {
        let written = [
            "+553190000123",
            "+5531990000123",
            "31 9000-0123",
            "(31) 99000-0123",
            "031 99000-0123",
            "0 15 31 99000-0123",
            "0055 31 9000-0123",
            "+55 (0) 31 99000-0123",
        ];
        let local = ["9000-0123", "99000-0123", "90000", "00123"];
        for one in written {
            for other in written.iter().chain(&local) {
                let forms = asked_forms(&digits(other));
                let is_found = stored(one).iter().any(|key| forms.iter().any(|form| key.contains(form)));
                assert!(is_found, "{one} by {other}: {:?} {forms:?}", stored(one));
            }
        }
    }

    #[test]
    fn phones_have_the_forms_that_the_dashboard_is_tested_with() {
        let known = include_str!("../../tests/fixtures/texts/phones.json");
        let known: serde_json::Value = serde_json::from_str(known).unwrap();
        let of = |list: &str| -> Vec<(String, Vec<String>)> {
            serde_json::from_value(known[list].clone()).unwrap()
        };
        for (phone, forms) in of("stored") {
            assert_eq!(stored(&phone), forms, "{phone}");
        }
        for (digits, forms) in of("asked") {
            assert_eq!(asked_forms(&digits), forms, "{digits}");
        }
    }

    #[test]
    fn a_landline_and_a_phone_of_another_country_have_one_form() {
        assert_eq!(stored("+55 31 3234-5678"), ["553132345678"]);
        assert_eq!(stored("+1 (305) 555-0123"), ["13055550123"]);
        assert_eq!(stored("+351 912 345 678"), ["351912345678"]);
        assert_eq!(stored("120363000000000000"), ["120363000000000000"]);
        assert_eq!(stored("+5555991234567"), ["5555991234567", "555591234567"], "55 is an area code, too");
        assert_eq!(asked_forms("31"), ["31"]);
        assert_eq!(asked_forms("00"), ["00"]);
        assert_eq!(asked_forms("0319"), ["0319", "319"]);
    }

    #[test]
    fn a_form_knows_where_its_digits_stand() {
        for phone in ["+55 (31) 9000-0123", "031 99000-0123", "+5531990000123", "+1 305"] {
            for form in stored_forms(phone) {
                assert_eq!(form.digits.len(), form.places.len());
                for (digit, place) in form.digits.bytes().zip(form.places) {
                    assert!(place.is_none_or(|at| phone.as_bytes()[at] == digit), "{phone} {}", form.digits);
                }
            }
        }
    }
}
