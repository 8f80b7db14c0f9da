//! A small town of chats with fixed ids and times, so that whole answers can be compared.

use serde_json::{Value, json};

use super::hub::Hub;
use super::provider::{Delivery, moment};

/// Posts the town: seven deliveries, five chats.
///
/// `ana` waits in sales with a tag; `bruno` is served by bia in support, on another line; `carla` is closed;
/// `grupo` is a group and `time` is internal.
pub fn settle(hub: &Hub) {
    let deliveries = [
        line("ana", 1, "Ana Águas")
            .text("Quero um orçamento")
            .chat_field("Sector", json!({ "Id": "sales", "Name": "Vendas" }))
            .chat_field("Tags", json!([{ "Id": "hot", "Name": "Quente" }]))
            .set("/Payload/Content/Contact/Tags", json!([{ "Id": "vip", "Name": "VIP" }])),
        line("bruno", 2, "Bruno Brasa").text("Bom dia"),
        served(line("bruno", 3, "Bruno Brasa")).text("Bom dia, Bruno!").by_member("bia"),
        line("carla", 4, "Carla Cedro").text("Obrigada").closed(4 * MINUTE),
        line("grupo", 5, "Condomínio").text("Reunião às 18h").set(CONTACT_TYPE, json!("Group")),
        line("time", 6, "Equipe").text("Almoço?").set(CONTACT_TYPE, json!("MemberDirectMessage")),
        served(line("bruno", 7, "Bruno Brasa")).text("100% certo_"),
    ];
    for delivery in &deliveries {
        hub.provider().posts(delivery);
    }
}

const CONTACT_TYPE: &str = "/Payload/Content/Contact/ContactType";
const MINUTE: i64 = 60;

/// A message of a contact with this name, as many minutes after the start as its number. The chat is as old.
pub fn line(chat: &str, number: i64, name: &str) -> Delivery {
    let at = number * MINUTE;
    Delivery::message(chat)
        .event_id(&format!("event-{number:02}"))
        .message_id(&format!("message-{number:02}"))
        .at(at)
        .chat_field("CreatedAtUTC", json!(moment(at)))
        .chat_field("WaitingSinceUTC", json!(moment(at)))
        .chat_field("EventAtUTC", json!(moment(at)))
        .set("/Payload/Content/Contact/Name", json!(name))
        .set("/Payload/Content/Contact/PhoneNumber", json!(format!("+55119000000{number:02}")))
        .set("/Payload/Content/Contact/LastActiveUTC", json!(moment(at)))
}

/// Bia has the chat in support, on the second line.
fn served(delivery: Delivery) -> Delivery {
    delivery
        .owner("bia")
        .waiting(false)
        .chat_field("WaitingSinceUTC", Value::Null)
        .chat_field("Sector", json!({ "Id": "support", "Name": "Suporte" }))
        .chat_field(
            "Channel",
            json!({ "Id": "line-2", "Name": "Segunda linha", "ChannelType": "WhatsappBroker" }),
        )
}
