//! Splits what is missing of a chat into deliveries. Pure.

use crate::domain::MessageFacts;
use crate::umbler::api::MessageItem;

/// Most messages in one composed delivery. Its update must not be larger than one of a real delivery may be.
pub const MESSAGES_PER_DELIVERY: usize = 50;
/// Most bytes of messages in one composed delivery, unless a single message has more.
const BYTES_PER_DELIVERY: usize = 256 * 1024;

/// Splits the messages into parts that each fit into one delivery.
pub fn parts<'a, 'b>(
    news: &'b [(&'a MessageItem, &'a MessageFacts)],
    per_delivery: usize,
) -> Vec<&'b [(&'a MessageItem, &'a MessageFacts)]> {
    let mut parts = Vec::new();
    let (mut begun, mut bytes) = (0, 0);
    for (index, (item, _)) in news.iter().enumerate() {
        let is_full = index - begun == per_delivery || bytes + item.text.len() > BYTES_PER_DELIVERY;
        if is_full && index > begun {
            parts.push(&news[begun..index]);
            (begun, bytes) = (index, 0);
        }
        bytes += item.text.len();
    }
    if begun < news.len() {
        parts.push(&news[begun..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_one_delivery_holds_has_a_bound_of_messages_and_of_bytes() {
        let item =
            |bytes: usize| MessageItem { id: "m".into(), at: Timestamp::UNIX_EPOCH, text: "x".repeat(bytes) };
        let facts = MessageFacts::default();
        let sizes = |items: &[MessageItem]| {
            let news: Vec<_> = items.iter().map(|item| (item, &facts)).collect();
            parts(&news, MESSAGES_PER_DELIVERY).iter().map(|part| part.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[]), Vec::<usize>::new());
        assert_eq!(sizes(&vec![item(10); 120]), [50, 50, 20]);
        assert_eq!(sizes(&vec![item(100_000); 5]), [2, 2, 1]);
        assert_eq!(sizes(&[item(1), item(BYTES_PER_DELIVERY + 1), item(1)]), [1, 1, 1]);
    }
}
