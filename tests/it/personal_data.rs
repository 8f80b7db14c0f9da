//! What is stored of a person, as a file for the person.

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::person::{CONTACT, erases, lives, said};
use super::support::sending::Sending;
use super::support::{hub_with, spawn_hub};
use umbler_hub::facade::testing::ApiFault;

#[test]
fn an_export_holds_everything_that_is_stored_of_a_person_and_nothing_of_others() {
    let hub = spawn_hub();
    lives(&hub);
    let answer = hub.get(&format!("/api/umbler/contacts/{CONTACT}/personal-data"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    let file = answer.json();
    assert_eq!(file["contact"]["name"], "Zulmira Quixote");
    assert_eq!(file["contact"]["phone"], "+5511987654321");
    assert_eq!(file["chats"].as_array().map(Vec::len), Some(2));
    let messages = file["messages"].as_array().expect("a list");
    assert_eq!(messages.len(), 6);
    assert!(messages.iter().any(|message| message["file"]["name"] == "cavaquinho.pdf"));
    assert!(!answer.text.contains("sou outra pessoa"));
    assert_eq!(file["erasures"], json!([]));

    assert_eq!(erases(&hub, "", &[]).status, 200);
    let file = hub.json(&format!("/api/umbler/contacts/{CONTACT}/personal-data"));
    assert_eq!(
        (&file["contact"]["name"], &file["erasures"][0]["reason"]),
        (&Value::Null, &json!("pedido 17"))
    );
}

#[test]
fn an_export_for_the_person_to_read_is_a_page_in_their_language_without_markup_of_strangers() {
    let hub = spawn_hub();
    hub.provider().posts(&said(1, "m1").text("<script>alert(1)</script> & tchau"));
    let path = format!("/api/umbler/contacts/{CONTACT}/personal-data?format=html");
    let page = hub.get(&path);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text.contains("Seus dados pessoais") && page.text.ends_with("</html>\n"), "{}", page.text);
    assert!(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; tchau"), "{}", page.text);
    // Whoever hands it over sees which messages the person never got.
    hub.provider().posts(&said(2, "m2").text("ligar amanhã").message_field("IsPrivate", json!(true)));
    let english = hub.get(&format!("{path}&language=en"));
    assert_eq!(english.text.matches("(private note)").count(), 1, "{}", english.text);
    assert!(hub.get(&path).text.contains("(nota interna)"));
    assert!(english.text.contains("Your personal data"), "{}", english.text);
    // On a phone each value stands below the name of its column.
    assert!(
        english.text.contains("name=\"viewport\"")
            && english.text.contains("<td data-column=\"From\">You</td>")
    );
}

#[test]
fn an_export_holds_messages_that_were_written_and_never_arrived() {
    let sending = Sending::new(&[]);
    sending.chat("maria", 60);
    let sent = sending.sends("maria", "chegou");
    let told = sending.becomes(&sent, &["sent"]);
    sending.message("maria", &told["messageId"], |_| true);
    sending.api.fail("messages", &ApiFault::Says(400, "número inválido".to_owned()), 1);
    let refused = sending.sends("maria", "não <chegou>");
    sending.becomes(&refused, &["failed"]);
    let path = format!("/api/umbler/contacts/{CONTACT}/personal-data");
    let file = sending.hub.json(&path);
    let entries = file["outbox"].as_array().expect("a list");
    let texts: Vec<&Value> = entries.iter().map(|entry| &entry["text"]).collect();
    assert_eq!(texts, [&json!("não <chegou>")], "{file}");
    assert_eq!((&entries[0]["state"], file["erasures"].is_array()), (&json!("failed"), true));
    let page = sending.hub.get(&format!("{path}?format=html")).text;
    assert!(page.contains("Mensagens que não chegaram"), "{page}");
    assert!(page.contains("não &lt;chegou&gt;") && page.contains("número inválido"), "{page}");
}

#[test]
fn an_export_of_more_than_a_page_is_whole_and_for_admins_alone() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    for number in 0..431 {
        hub.provider().posts(&said(number, &format!("m{number}")).text(&format!("texto {number}")));
    }
    let path = format!("/api/umbler/contacts/{CONTACT}/personal-data");
    let bearer = |claims: Value| format!("Bearer {}", token(claims));
    let admin = bearer(json!({ "sub": "root", "role": "admin" }));
    let file = hub.get_with(&path, &[("authorization", &admin)]).json();
    assert_eq!(file["messages"].as_array().map(Vec::len), Some(431));
    let agent = bearer(json!({ "sub": "bia", "role": "agent" }));
    hub.get_with(&path, &[("authorization", &agent)]).refuses(403, "forbidden");
    let limited = bearer(json!({ "sub": "root", "role": "admin", "sectors": ["s"] }));
    hub.get_with(&path, &[("authorization", &limited)]).refuses(403, "forbidden");
    hub.get_with("/api/umbler/contacts/nobody/personal-data", &[("authorization", &admin)])
        .refuses(404, "not_found");
}
