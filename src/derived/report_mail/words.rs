//! The words of the mailed report in both languages, and how numbers and times are written in them.

use jiff::civil::{Date, Weekday};

use crate::domain::daily_report::ReportLanguage;

/// What the mail says in one language.
#[derive(Debug)]
pub struct ReportWords {
    pub title: &'static str,
    pub compared_with: &'static str,
    pub created: &'static str,
    pub closed: &'static str,
    pub abandoned: &'static str,
    pub messages_in: &'static str,
    pub messages_member: &'static str,
    pub first_response: &'static str,
    pub first_response_p90: &'static str,
    pub resolution: &'static str,
    pub worst_hour: &'static str,
    pub sectors: &'static str,
    pub sector: &'static str,
    pub no_sector: &'static str,
    pub first_responses: &'static str,
    pub day: &'static str,
    pub before: &'static str,
    pub change: &'static str,
    /// For changes of too few values.
    pub too_few: &'static str,
    pub same: &'static str,
    pub nothing: &'static str,
    pub quiet_day: &'static str,
    /// Why the mail comes, and who can end that.
    pub footer: &'static str,
    weekdays: [&'static str; 7],
    thousands: char,
}

static PORTUGUESE: ReportWords = ReportWords {
    title: "Relatório diário",
    compared_with: "Comparado com",
    created: "Conversas novas",
    closed: "Conversas encerradas",
    abandoned: "Encerradas sem resposta",
    messages_in: "Mensagens de clientes",
    messages_member: "Mensagens de atendentes",
    first_response: "1ª resposta (mediana)",
    first_response_p90: "1ª resposta (9 em cada 10)",
    resolution: "Resolução (mediana)",
    worst_hour: "Pior hora da 1ª resposta",
    sectors: "Setores com mais mensagens",
    sector: "Setor",
    no_sector: "Sem setor",
    first_responses: "1ª resposta",
    day: "No dia",
    before: "Semana anterior",
    change: "Variação",
    too_few: "poucos valores",
    same: "igual",
    nothing: "–",
    quiet_day: "Não houve conversas nem mensagens neste dia.",
    footer: "Só conversas diretas. Enviado pelo Umbler Hub; um administrador muda o horário em Ajustes.",
    weekdays: [
        "segunda-feira",
        "terça-feira",
        "quarta-feira",
        "quinta-feira",
        "sexta-feira",
        "sábado",
        "domingo",
    ],
    thousands: '.',
};

static ENGLISH: ReportWords = ReportWords {
    title: "Daily report",
    compared_with: "Compared with",
    created: "New chats",
    closed: "Closed chats",
    abandoned: "Closed without a reply",
    messages_in: "Messages from customers",
    messages_member: "Messages from agents",
    first_response: "First response (median)",
    first_response_p90: "First response (9 of 10)",
    resolution: "Resolution (median)",
    worst_hour: "Slowest hour for first responses",
    sectors: "Sectors with the most messages",
    sector: "Sector",
    no_sector: "No sector",
    first_responses: "First response",
    day: "That day",
    before: "Week before",
    change: "Change",
    too_few: "too few values",
    same: "no change",
    nothing: "–",
    quiet_day: "There were no chats and no messages on this day.",
    footer: "Direct chats only. Sent by Umbler Hub; an admin can change the time under Settings.",
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    thousands: ',',
};

impl ReportWords {
    pub fn of(language: ReportLanguage) -> &'static Self {
        match language {
            ReportLanguage::Portuguese => &PORTUGUESE,
            ReportLanguage::English => &ENGLISH,
        }
    }

    /// `terça-feira, 03/03/2026`, or `Tuesday, 2026-03-03`: no order of day and month can be taken for another.
    pub fn date(&self, date: Date) -> String {
        let weekday = self.weekdays[usize::from(weekday_number(date.weekday()))];
        if self.thousands == '.' {
            format!("{weekday}, {:02}/{:02}/{}", date.day(), date.month(), date.year())
        } else {
            format!("{weekday}, {date}")
        }
    }

    /// Thousands are told apart: `12.345` or `12,345`.
    pub fn number(&self, number: usize) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(self.thousands);
            }
            text.push(digit);
        }
        text
    }

    /// `45 s`, `9 min`, `2 h 05 min` or `3 d 4 h`; a dash for nothing.
    pub fn duration(&self, milliseconds: Option<i64>) -> String {
        let Some(milliseconds) = milliseconds else { return self.nothing.to_owned() };
        let seconds = (milliseconds + 500) / 1_000;
        let minutes = (seconds + 30) / 60;
        match (seconds, minutes) {
            (..60, _) => format!("{seconds} s"),
            (_, ..60) => format!("{minutes} min"),
            (_, ..1_440) => format!("{} h {:02} min", minutes / 60, minutes % 60),
            _ => format!("{} d {} h", minutes / 1_440, minutes % 1_440 / 60),
        }
    }
}

fn weekday_number(weekday: Weekday) -> u8 {
    weekday.to_monday_zero_offset().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn numbers_and_times_are_written_as_in_their_language() {
        let (pt, en) =
            (ReportWords::of(ReportLanguage::Portuguese), ReportWords::of(ReportLanguage::English));
        assert_eq!([pt.number(0), pt.number(999), pt.number(1_234_567)], ["0", "999", "1.234.567"]);
        assert_eq!(en.number(12_345), "12,345");
        assert_eq!(pt.date(date(2026, 3, 3)), "terça-feira, 03/03/2026");
        assert_eq!(en.date(date(2026, 3, 8)), "Sunday, 2026-03-08");
        let told =
            [None, Some(0), Some(59_400), Some(59_600), Some(3_569_000), Some(7_500_000), Some(273_600_000)]
                .map(|milliseconds| en.duration(milliseconds));
        assert_eq!(told, ["–", "0 s", "59 s", "1 min", "59 min", "2 h 05 min", "3 d 4 h"]);
    }
}
