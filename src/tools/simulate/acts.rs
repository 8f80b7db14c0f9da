//! What people, bots and the provider do in a simulated chat.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use serde_json::{Value, json};

use super::cast::{AGENTS, ANSWERS, GREETING, NOTES, QUESTIONS, SAID, SECTORS, SIGNATURES, TAGS};
use super::day::Day;

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

impl Day {
    /// Makes the message the last one of its chat, and posts it.
    fn say(&mut self, chat: usize, now: Timestamp, message: Value) {
        let known = &mut self.chats[chat];
        (known.last_message, known.active_at) = (message, now);
        let content = known.content();
        self.emit("Message", now, &content);
    }

    fn message(&mut self, chat: usize, now: Timestamp, source: &str, message_type: &str) -> Value {
        let id = self.id(now);
        self.chats[chat].message(&id, now, source, message_type)
    }

    /// A customer writes, mostly text. Media come without their file first, and deliveries may overtake each
    /// other.
    pub(super) fn customer_writes(&mut self, chat: usize, now: Timestamp) {
        let known = &mut self.chats[chat];
        known.waiting_since = known.waiting_since.or(Some(now));
        let (kind, mut message) = {
            let kind = match self.random.random_range(0..100) {
                0..62 => "Text",
                62..72 => "Image",
                72..79 => "Audio",
                79..83 => "File",
                83..86 => "Video",
                86..89 => "Location",
                89..92 => "Contact",
                92..95 => "ButtonReply",
                95..97 => "CallAttempt",
                97..99 => "Sticker",
                _ => "Unsupported",
            };
            (kind, self.message(chat, now, "Contact", kind))
        };
        match kind {
            "Text" => message["Content"] = json!(self.one_of(&QUESTIONS, "Oi")),
            "Image" => return self.media(chat, now, message, "image/jpeg", "foto.jpg"),
            "Audio" => return self.media(chat, now, message, "audio/ogg", "audio.ogg"),
            "File" => return self.media(chat, now, message, "application/pdf", "contrato.pdf"),
            "Video" => return self.media(chat, now, message, "video/mp4", "video.mp4"),
            "Location" => {
                message["Location"] = json!({ "Latitude": "-23.5505", "Longitude": "-46.6333",
                    "Name": "Praça Fictícia", "Address": "Rua Inventada, 100 - São Paulo" });
            }
            "Contact" => {
                message["Contacts"] = json!([{ "Name": "Otávio Fictício", "Addresses": [],
                    "PhoneNumbers": ["+5511900000015"], "Company": null, "Emails": [], "ProfilePictureBlob": null }]);
            }
            "ButtonReply" => message["Content"] = json!("Quero falar com vendas"),
            _ => {}
        }
        self.say(chat, now, message);
    }

    /// A message with a file. The address of the file follows later; occasionally the finished message comes
    /// before the unfinished one.
    fn media(&mut self, chat: usize, now: Timestamp, mut message: Value, content_type: &str, name: &str) {
        message["MessageState"] = json!("Processing");
        let id = message["Id"].as_str().unwrap_or_default().to_owned();
        let file = |url: Value| {
            json!({ "Url": url, "ContentType": content_type, "OriginalName": name, "OriginalSizeBytes": 48_213,
                "Data": null, "FailDownload": false, "Caption": null, "Transcription": null })
        };
        let mut ready = message.clone();
        ready["File"] = file(json!(format!("https://files.example.com/{id}/{name}")));
        if content_type.starts_with("audio/") {
            ready["File"]["Transcription"] = json!(SAID);
        }
        message["File"] = if self.chance(70) { file(Value::Null) } else { Value::Null };
        let uploaded = self.chance(50);
        let overtakes = self.chance(15);
        self.chats[chat].active_at = now;
        self.chats[chat].last_message = message;
        let pending_content = self.chats[chat].content();
        self.chats[chat].last_message = ready.clone();
        let mut ready_content = self.chats[chat].content();
        let ready_type = if uploaded { "MessageFileUploaded" } else { "Message" };
        if uploaded {
            ready_content["Message"] = ready;
        }
        if overtakes {
            self.emit(ready_type, now + seconds(2), &ready_content);
            self.emit_later(now + seconds(3), now, "Message", &pending_content);
        } else {
            self.emit("Message", now, &pending_content);
            self.emit_later(now + seconds(3), now + seconds(2), ready_type, &ready_content);
        }
    }

    /// An agent answers. The delivery states of the answer follow, not always in order.
    pub(super) fn agent_writes(&mut self, chat: usize, now: Timestamp) {
        if self.chats[chat].owner.is_none() {
            return self.transfer(chat, now);
        }
        let Some(owner) = self.chats[chat].owner else { return };
        let known = &mut self.chats[chat];
        (known.waiting_since, known.bot) = (None, None);
        let mut message = self.message(chat, now, "Member", "Text");
        let signature = AGENTS.iter().position(|agent| *agent == owner).and_then(|at| SIGNATURES.get(at));
        message["Prefix"] = json!(signature.map(|name| format!("*{name}:*")));
        message["Content"] = json!(self.one_of(&ANSWERS, "Olá!"));
        message["SentByOrganizationMember"] = json!({ "Id": owner });
        self.say(chat, now, message.clone());
        self.states(chat, now, &message);
    }

    fn states(&mut self, chat: usize, now: Timestamp, message: &Value) {
        let steps: &[(i64, i64, &str)] = match self.random.random_range(0..100) {
            0..3 => &[(4, 4, "Failed")],
            // The later state overtakes the earlier one.
            3..15 => &[(6, 6, "Read"), (9, 3, "Delivered")],
            15..60 => &[(3, 3, "Delivered"), (12, 12, "Read")],
            60..80 => &[(3, 3, "Delivered")],
            _ => &[],
        };
        for (due, emitted, state) in steps {
            let mut grown = message.clone();
            grown["MessageState"] = json!(state);
            let mut content = self.chats[chat].content();
            content["LastMessage"] = grown;
            self.emit_later(now + seconds(*due), now + seconds(*emitted), "Message", &content);
        }
    }

    /// The bot greets. That ends no wait.
    pub(super) fn bot_writes(&mut self, chat: usize, now: Timestamp) {
        let instance = self.id(now);
        self.chats[chat].bot = Some(instance.clone());
        let mut message = self.message(chat, now, "Bot", "Text");
        message["Content"] = json!(GREETING);
        message["BotInstance"] = json!({ "Id": instance, "BotName": "Triagem" });
        self.say(chat, now, message);
    }

    /// An agent takes the chat, hands it over, or puts it back into the queue.
    pub(super) fn transfer(&mut self, chat: usize, now: Timestamp) {
        let next = if self.chance(8) { None } else { Some(self.one_of(&AGENTS, AGENTS[0])) };
        let known = &mut self.chats[chat];
        known.last_owner = known.owner.or(known.last_owner);
        known.owner = next;
        known.bot = None;
        let content = known.content();
        self.emit("MemberTransfer", now, &content);
    }

    pub(super) fn change_sector(&mut self, chat: usize, now: Timestamp) {
        self.chats[chat].sector = self.below(SECTORS.len());
        let content = self.chats[chat].content();
        self.emit("ChatSectorChanged", now, &content);
    }

    /// Adds a tag to the chat or its contact, or removes one.
    pub(super) fn change_tags(&mut self, chat: usize, now: Timestamp) {
        let tag = self.below(TAGS.len());
        let of_contact = self.chance(30);
        let known = &mut self.chats[chat];
        let tags = if of_contact { &mut known.contact_tags } else { &mut known.tags };
        match tags.iter().position(|known| *known == tag) {
            Some(at) => drop(tags.remove(at)),
            None => tags.push(tag),
        }
        let content = known.content();
        self.emit("ChatTagChanged", now, &content);
    }

    pub(super) fn change_privacy(&mut self, chat: usize, now: Timestamp) {
        let known = &mut self.chats[chat];
        known.private = !known.private;
        let content = known.content();
        self.emit("ChatPrivateStatusChanged", now, &content);
    }

    pub(super) fn note(&mut self, chat: usize, now: Timestamp) {
        let author = self.one_of(&AGENTS, AGENTS[0]);
        let mut message = self.message(chat, now, "Member", "Text");
        message["IsPrivate"] = json!(true);
        message["Content"] = json!(self.one_of(&NOTES, "Nota"));
        message["SentByOrganizationMember"] = json!({ "Id": author });
        self.say(chat, now, message);
    }

    /// Somebody reacts to the last message with a thumbs up.
    pub(super) fn react(&mut self, chat: usize, now: Timestamp) {
        let Some(message_id) = self.chats[chat].last_message["Id"].as_str().map(str::to_owned) else {
            return;
        };
        let id = self.id(now);
        let emoji = self.one_of(&["👍", "❤️", "😂", "🙏"], "👍");
        let reaction = json!({ "Id": id, "Emoji": emoji, "Source": "Contact", "EventAtUTC": super::chat::millis(now),
            "MessageId": message_id });
        let known = &mut self.chats[chat];
        if let Some(reactions) = known.last_message["Reactions"].as_array_mut() {
            reactions.push(reaction.clone());
        }
        let mut content = known.content();
        content["LastMessageReaction"] = reaction;
        self.emit("Message", now, &content);
    }

    /// The last text is corrected.
    pub(super) fn edit(&mut self, chat: usize, now: Timestamp) {
        let known = &mut self.chats[chat];
        let Some(text) = known.last_message["Content"].as_str().map(|text| format!("{text} (corrigido)"))
        else {
            return;
        };
        known.last_message["LatestEdit"] =
            json!({ "Content": text, "SenderAtUTC": super::chat::millis(now), "MsgKey": "3EB0FAKEKEY" });
        let content = known.content();
        self.emit("Message", now, &content);
    }

    /// A template of a campaign, or a scheduled message: nobody has read the customer.
    pub(super) fn automated(&mut self, chat: usize, now: Timestamp) {
        let id = self.id(now);
        let bulk = self.chance(50);
        let mut message = self.message(chat, now, "Member", "Text");
        if bulk {
            message["TemplateId"] = json!("Z4ELwFoR_gTEMPLA");
            message["BulkSendSession"] = json!({ "Id": id });
            message["Content"] = json!("Oferta da semana: frete grátis até domingo");
        } else {
            message["ScheduledMessage"] = json!({ "Id": id });
            message["Content"] = json!("Lembrete: sua visita é amanhã às 10h");
        }
        self.say(chat, now, message);
    }

    /// A message that was sent outside Umbler Talk.
    pub(super) fn external(&mut self, chat: usize, now: Timestamp) {
        let mut message = self.message(chat, now, "External", "Text");
        message["Content"] = json!("Enviei pelo celular, confere?");
        self.say(chat, now, message);
    }

    /// Somebody answered, or made a note, over the API.
    pub fn hears_of(&mut self, chat: &str, message: &Value, private: bool, now: Timestamp) {
        let Some(known) = self.chats.iter_mut().find(|known| known.id == chat) else { return };
        (known.last_message, known.active_at) = (message.clone(), now);
        if !private {
            (known.waiting_since, known.bot) = (None, None);
        }
    }

    pub(super) fn group_message(&mut self, chat: usize, now: Timestamp) {
        let author = self.id(now);
        let mut message = self.message(chat, now, "Contact", "Text");
        message["FromContact"] = json!({ "Id": author });
        message["Content"] = json!("Pessoal, chegou o material");
        self.say(chat, now, message);
    }

    pub(super) fn close(&mut self, chat: usize, now: Timestamp) {
        let known = &mut self.chats[chat];
        known.open = false;
        known.last_owner = known.owner.or(known.last_owner);
        (known.owner, known.bot, known.waiting_since) = (None, None, None);
        (known.closed_at, known.active_at) = (Some(now), now);
        let closer = known.last_owner;
        let mut content = known.content();
        content["ClosedBy"] = json!(closer.map(|id| json!({ "Id": id })));
        self.emit("ChatClosed", now, &content);
    }
}
