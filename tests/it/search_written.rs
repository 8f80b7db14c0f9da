//! Search for what is written in several ways: phones, numbers with and without punctuation, letters that only look special.

use serde_json::{Value, json};

use super::support::{Delivery, Hub, spawn_hub};

fn encoded(asked: &str) -> String {
    form_urlencoded::byte_serialize(asked.as_bytes()).collect()
}

/// What stands at this place in each item of a list.
fn each(list: &Value, pointer: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    let mut all: Vec<String> =
        items.map(|item| item.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned()).collect();
    all.sort_unstable();
    all
}

/// The messages that both searches find: the index of words, and any part of the text.
fn messages(hub: &Hub, asked: &str) -> Vec<String> {
    let asked = encoded(asked);
    let found = each(&hub.json(&format!("/api/umbler/search?q={asked}"))["messages"], "/message/id");
    let listed = each(&hub.json(&format!("/api/umbler/messages?search={asked}"))["messages"], "/id");
    assert_eq!(found, listed, "{asked}: search and list");
    found
}

/// The contacts that all searches find.
fn contacts(hub: &Hub, asked: &str) -> Vec<String> {
    let encoded = encoded(asked);
    let found = each(&hub.json(&format!("/api/umbler/search?q={encoded}"))["contacts"], "/contact/id");
    let listed = each(&hub.json(&format!("/api/umbler/contacts?search={encoded}"))["contacts"], "/id");
    let of_chats = each(&hub.json(&format!("/api/umbler/chats?search={encoded}"))["chats"], "/contactId");
    assert_eq!((&found, &found), (&listed, &of_chats), "{asked}: search, contacts and chats");
    found
}

fn says(hub: &Hub, texts: &[(&str, &str)]) {
    for (id, text) in texts {
        hub.provider().posts(&Delivery::message("a").message_id(id).text(text));
    }
}

#[test]
fn each_form_of_a_brazilian_phone_finds_the_others() {
    let hub = spawn_hub();
    let input = include_str!("../fixtures/faults/phone-forms.ndjson");
    for line in input.lines() {
        assert_eq!(hub.provider().post(line).status, 200, "{line}");
    }
    let both = ["ct-nd1", "ct-nd2"];
    for asked in [
        "+553190000123",
        "+5531990000123",
        "(31) 9000-0123",
        "(31) 99000-0123",
        "31990000123",
        "031 99000-0123",
        "0 15 31 99000-0123",
        "00 55 31 9000-0123",
        "+55 (0) 31 99000-0123",
        "99000-0123",
        "90000123",
        "\u{202a}+55 31 99000\u{2011}0123\u{202c}",
    ] {
        assert_eq!(contacts(&hub, asked), both, "{asked}");
    }
    let highlight = hub.json(&format!("/api/umbler/search?q={}", encoded("31 99000-0123")));
    let old =
        highlight["contacts"].as_array().expect("a list").iter().find(|it| it["contact"]["id"] == "ct-nd1");
    assert_eq!(
        old.expect("found")["highlight"]["phone"],
        json!([{ "text": "+55", "match": false }, { "text": "3190000123", "match": true }])
    );
    assert_eq!(contacts(&hub, "31 98000-0123"), [] as [&str; 0], "another phone");
}

#[test]
fn a_phone_in_a_message_is_found_however_it_is_written() {
    let hub = spawn_hub();
    says(
        &hub,
        &[
            ("1", "ligue para (31) 99000-0123"),
            ("2", "é 3190000123"),
            ("3", "+55 31 99000 0123, obrigado"),
            ("4", "031990000123"),
        ],
    );
    for asked in ["31 9000-0123", "(31)99000-0123", "+5531990000123", "031 99000-0123"] {
        assert_eq!(messages(&hub, asked), ["1", "2", "3", "4"], "{asked}");
    }
}

#[test]
fn numbers_are_found_with_and_without_punctuation() {
    let hub = spawn_hub();
    says(
        &hub,
        &[
            ("cpf1", "meu CPF é 123.456.789-09."),
            ("cpf2", "meu cpf: 12345678909"),
            ("cpf3", "CPF 123 456 789 09"),
            ("cep1", "CEP 01310-100"),
            ("cep2", "cep 01310100"),
            ("cnpj1", "12.345.678/0001-95"),
            ("cnpj2", "12345678000195"),
            ("placa1", "o carro é ABC-1D23"),
            ("placa2", "placa abc1d23"),
            ("placa3", "placa ABC 1D23, prata"),
            ("valor1", "são R$ 1.234,56"),
            ("valor2", "são R$1234,56"),
            ("data", "em 15/12, 9,5 km"),
        ],
    );
    for (finds, asked) in [
        (
            vec!["cpf1", "cpf2", "cpf3"],
            vec!["123.456.789-09", "12345678909", "123456789-09", "123 456 789 09"],
        ),
        (vec!["cep1", "cep2"], vec!["01310-100", "01310100", "01.310-100"]),
        (vec!["cnpj1", "cnpj2"], vec!["12.345.678/0001-95", "12345678000195", "12345678/0001-95"]),
        (vec!["placa1", "placa2", "placa3"], vec!["ABC-1D23", "abc1d23", "ABC 1D23", "Abc·1D23"]),
        (vec!["valor1", "valor2"], vec!["1.234,56", "1234,56"]),
        (vec![], vec!["98765432100", "ABD-1D23", "23.456,78"]),
    ] {
        for asked in asked {
            assert_eq!(messages(&hub, asked), finds, "{asked}");
        }
    }
    let found = hub.json(&format!("/api/umbler/search?q={}", encoded("\"cpf 12345678909\"")));
    assert_eq!(each(&found["messages"], "/message/id"), ["cpf2", "cpf3"], "words in quotes stand together");
    let found = hub.json("/api/umbler/search?q=1512");
    assert_eq!(each(&found["messages"], "/message/id"), ["data"]);
    let found = hub.json("/api/umbler/search?q=95");
    assert_eq!(
        each(&found["messages"], "/message/id"),
        ["cnpj1"],
        "a short number is not found across punctuation"
    );
}

#[test]
fn a_number_in_a_name_is_found_with_and_without_punctuation() {
    let hub = spawn_hub();
    let named = |chat: &str, name: &str| {
        hub.provider().posts(&Delivery::message(chat).set("/Payload/Content/Contact/Name", json!(name)));
    };
    named("a", "João ABC-1D23");
    named("b", "João ABC1D23");
    for asked in ["abc1d23", "ABC-1D23"] {
        assert_eq!(contacts(&hub, asked), ["contact-of-a", "contact-of-b"], "{asked}");
    }
}

#[test]
fn letters_that_only_look_special_are_found_by_their_plain_form_and_the_other_way_round() {
    let hub = spawn_hub();
    says(
        &hub,
        &[
            ("via1", "quero a 2ª via"),
            ("via2", "quero a 2a via"),
            ("no1", "rua tal, nº 15"),
            ("no2", "rua tal, no 15"),
            ("no3", "rua tal, n° 15"),
            ("oi1", "𝓞𝓲 𝗠𝗮𝗿𝗶𝗮"),
            ("oi2", "Oi Maria"),
            ("oi3", "Ｏｉ　Ｍａｒｉａ"),
            ("ficha1", "a ﬁcha"),
            ("ficha2", "a fi\u{200b}cha"),
        ],
    );
    for (asked, finds) in [
        ("2a via", vec!["via1", "via2"]),
        ("2ª via", vec!["via1", "via2"]),
        ("no 15", vec!["no1", "no2", "no3"]),
        ("Nº 15", vec!["no1", "no2", "no3"]),
        ("oi maria", vec!["oi1", "oi2", "oi3"]),
        ("ｍａｒｉａ", vec!["oi1", "oi2", "oi3"]),
        ("𝐌𝐚𝐫𝐢𝐚", vec!["oi1", "oi2", "oi3"]),
        ("ficha", vec!["ficha1", "ficha2"]),
        ("ﬁcha", vec!["ficha1", "ficha2"]),
    ] {
        assert_eq!(messages(&hub, asked), finds, "{asked}");
    }
    hub.names("agent-1", Some("ﬁlipe 2ª Loja"), "");
    let members = hub.json(&format!("/api/umbler/members?search={}", encoded("Filipe 2a")));
    assert_eq!(each(&members["members"], "/id"), ["agent-1"]);
}
