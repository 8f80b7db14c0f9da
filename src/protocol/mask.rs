//! What viewers see instead of names, phones and texts.

use super::alerts::AlertShape;
use super::members::MemberShape;
use super::outbox::OutboxShape;
use super::shapes::{ChatShape, ContactShape, MessageShape, MessageSummary, NamedShape};
use crate::domain::visible::is_visible;

/// Replaces what a viewer may not read.
const DOTS: &str = "•••";

/// Masks names and phones, and removes texts, files, places and pictures.
pub trait Mask {
    fn mask(&mut self);
}

/// A name's first letter: `M•••`.
pub fn mask_name(name: &str) -> String {
    name.chars().find(|first| is_visible(*first)).map(|first| format!("{first}{DOTS}")).unwrap_or_default()
}

/// Country, area and the last four digits: `+55 11 •••• 0001`. Outside Brazil the length of the area code is
/// not known, so it is masked too; of a short number nothing is shown.
pub fn mask_phone(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let (country, area) = match digits.strip_prefix("55") {
        Some(rest) if digits.len() >= 12 => ("55", Some(&rest[..2])),
        _ if digits.len() >= 10 => (&digits[..2], None),
        _ => return DOTS.to_owned(),
    };
    let last = &digits[digits.len() - 4..];
    match area {
        Some(area) => format!("+{country} {area} •••• {last}"),
        None => format!("+{country} •••• {last}"),
    }
}

impl<T: Mask> Mask for Option<T> {
    fn mask(&mut self) {
        if let Some(inner) = self {
            inner.mask();
        }
    }
}

impl<T: Mask> Mask for Vec<T> {
    fn mask(&mut self) {
        self.iter_mut().for_each(Mask::mask);
    }
}

fn mask_name_in(name: &mut Option<String>) {
    *name = name.as_deref().map(mask_name);
}

impl Mask for MessageSummary {
    fn mask(&mut self) {
        self.text = None;
    }
}

impl Mask for ContactShape {
    fn mask(&mut self) {
        mask_name_in(&mut self.name);
        self.phone = self.phone.as_deref().map(mask_phone);
        self.picture_url = None;
        self.last_message.mask();
    }
}

impl Mask for ChatShape {
    fn mask(&mut self) {
        mask_name_in(&mut self.contact_name);
        self.contact_phone = self.contact_phone.as_deref().map(mask_phone);
        for agent in self.people_mut() {
            mask_name_in(&mut agent.name);
        }
        self.last_message.mask();
    }
}

impl Mask for NamedShape {
    fn mask(&mut self) {
        mask_name_in(&mut self.name);
    }
}

/// The name of the sector stays, because it is not the name of a person.
impl Mask for AlertShape {
    fn mask(&mut self) {
        mask_name_in(&mut self.contact_name);
        self.owner.mask();
        self.acknowledged_by.mask();
    }
}

impl Mask for MemberShape {
    fn mask(&mut self) {
        mask_name_in(&mut self.name);
        self.photo_url = None;
    }
}

impl Mask for MessageShape {
    fn mask(&mut self) {
        self.text = None;
        if let Some(author) = &mut self.author {
            mask_name_in(&mut author.name);
        }
        if let Some(file) = &mut self.file {
            (file.url, file.name, file.transcription) = (None, None, None);
        }
        self.location = None;
        self.contacts.clear();
        self.sent_by.mask();
    }
}

/// The provider's words may quote the text.
impl Mask for OutboxShape {
    fn mask(&mut self) {
        (self.text, self.detail, self.prefix) = (None, None, None);
        self.sent_by.mask();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_keeps_where_it_is_from_and_its_last_digits() {
        assert_eq!(mask_phone("+5511900000001"), "+55 11 •••• 0001");
        assert_eq!(mask_phone("+551130000001"), "+55 11 •••• 0001");
        assert_eq!(mask_phone("+15550001234"), "+15 •••• 1234");
        assert_eq!(mask_phone("12345"), "•••");
    }

    #[test]
    fn a_name_keeps_its_first_letter() {
        assert_eq!(mask_name("Márcia Exemplo"), "M•••");
        assert_eq!(mask_name(" "), "");
    }
}
