//! The mailed report: its subject, as plain text, and as HTML with the same content.

use std::fmt::Write;

use super::words::ReportWords;
use crate::protocol::daily_report::{CountShape, DailyReportShape, DurationShape};

/// Changes are told from so many values on both days on, as in the dashboard's reports.
const VALUES_MIN: usize = 20;

/// One line of the table: its name, the day, the day before, and how far it is from that.
struct Line {
    name: &'static str,
    day: String,
    before: String,
    change: String,
}

pub fn subject(report: &DailyReportShape) -> String {
    let words = ReportWords::of(report.language);
    let created = words.number(report.created.count);
    let medians = words.duration(report.first_response.median_ms);
    format!(
        "{}: {} · {} {created} · {} {medians}",
        words.title,
        words.date(report.day),
        words.created,
        words.first_responses
    )
}

pub fn plain(report: &DailyReportShape) -> String {
    let words = ReportWords::of(report.language);
    let mut text = format!(
        "{}\n{}\n{}: {}\n\n",
        words.title,
        words.date(report.day),
        words.compared_with,
        words.date(report.compared_with)
    );
    if is_quiet(report) {
        let _infallible = writeln!(text, "{}\n", words.quiet_day);
    } else {
        for Line { name, day, before, change } in lines(report, words) {
            let _infallible =
                writeln!(text, "{name}: {day} ({}: {before}; {}: {change})", words.before, words.change);
        }
        if let Some(told) = worst_hour(report, words) {
            let _infallible = writeln!(text, "{}: {told}", words.worst_hour);
        }
        let _infallible = writeln!(text, "\n{}:", words.sectors);
        for sector in sectors(report, words) {
            let _infallible = writeln!(text, "- {}", sector.join(" · "));
        }
        text.push('\n');
    }
    text.push_str(words.footer);
    text.push('\n');
    text
}

/// Styles stand in the elements: mail programs drop everything else. Colours are left to the reader's theme. Names and
/// heads of columns may break, so that a table fits on a phone.
pub fn html(report: &DailyReportShape) -> String {
    let words = ReportWords::of(report.language);
    let cell = "padding:6px 4px 6px 0;border-bottom:1px solid #d5d9e0;text-align:left";
    let head = "padding:6px 0 6px 8px;border-bottom:1px solid #d5d9e0;text-align:right;vertical-align:bottom";
    let figure = "padding:6px 0 6px 8px;border-bottom:1px solid #d5d9e0;text-align:right";
    let table = "border-collapse:collapse;width:100%;max-width:640px";
    let mut html = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{}</title></head>\
         <body style=\"font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:15px;line-height:1.4\">\
         <h1 style=\"font-size:20px;margin:0\">{}</h1><p style=\"margin:4px 0 16px\"><strong>{}</strong><br>{}: {}</p>",
        tag(report),
        escaped(&subject(report)),
        words.title,
        words.date(report.day),
        words.compared_with,
        words.date(report.compared_with)
    );
    if is_quiet(report) {
        let _infallible = write!(html, "<p>{}</p>", words.quiet_day);
    } else {
        let _infallible = write!(
            html,
            "<table style=\"{table}\"><tr><th style=\"{cell}\"></th><th style=\"{head}\">{}</th>\
             <th style=\"{head}\">{}</th><th style=\"{head}\">{}</th></tr>",
            words.day, words.before, words.change
        );
        for Line { name, day, before, change } in lines(report, words) {
            let _infallible = write!(
                html,
                "<tr><td style=\"{cell}\">{name}</td><td style=\"{figure}\"><strong>{day}</strong></td>\
                 <td style=\"{figure}\">{before}</td><td style=\"{figure}\">{change}</td></tr>"
            );
        }
        html.push_str("</table>");
        if let Some(told) = worst_hour(report, words) {
            let _infallible = write!(html, "<p>{}: <strong>{told}</strong></p>", words.worst_hour);
        }
        let _infallible = write!(
            html,
            "<h2 style=\"font-size:16px;margin:16px 0 4px\">{}</h2><table style=\"{table}\">\
             <tr><th style=\"{cell}\">{}</th><th style=\"{head}\">{}</th><th style=\"{head}\">{}</th>\
             <th style=\"{head}\">{}</th></tr>",
            words.sectors, words.sector, words.messages_in, words.created, words.first_response
        );
        for sector in &report.sectors {
            let name = sector.name.as_deref().or(sector.id.as_deref()).unwrap_or(words.no_sector);
            let _infallible = write!(
                html,
                "<tr><td style=\"{cell}\">{}</td><td style=\"{figure}\">{}</td><td style=\"{figure}\">{}</td>\
                 <td style=\"{figure}\">{}</td></tr>",
                escaped(name),
                words.number(sector.messages_in),
                words.number(sector.created),
                words.duration(sector.first_response_median_ms)
            );
        }
        html.push_str("</table>");
    }
    let _infallible = write!(html, "<p style=\"font-size:13px\">{}</p></body></html>", words.footer);
    html
}

fn tag(report: &DailyReportShape) -> &'static str {
    match report.language {
        crate::domain::daily_report::ReportLanguage::Portuguese => "pt-BR",
        crate::domain::daily_report::ReportLanguage::English => "en",
    }
}

fn is_quiet(report: &DailyReportShape) -> bool {
    let nothing = |told: &CountShape| told.count == 0 && told.before == 0;
    [&report.created, &report.closed, &report.messages_in, &report.messages_member].into_iter().all(nothing)
}

fn lines(report: &DailyReportShape, words: &ReportWords) -> Vec<Line> {
    let count = |name, told: &CountShape| Line {
        name,
        day: words.number(told.count),
        before: words.number(told.before),
        change: change(words, (told.count, told.count), (told.before, told.before)),
    };
    let duration = |name, told: &DurationShape| Line {
        name,
        day: words.duration(told.median_ms),
        before: words.duration(told.median_before_ms),
        change: match (told.median_ms, told.median_before_ms) {
            (Some(now), Some(before)) => {
                let size = |milliseconds: i64| usize::try_from(milliseconds).unwrap_or(0);
                change(words, (size(now), told.count), (size(before), told.count_before))
            }
            _ => words.nothing.to_owned(),
        },
    };
    let p90 = Line {
        name: words.first_response_p90,
        day: words.duration(report.first_response.p90_ms),
        before: words.nothing.to_owned(),
        change: words.nothing.to_owned(),
    };
    vec![
        count(words.created, &report.created),
        count(words.messages_in, &report.messages_in),
        count(words.messages_member, &report.messages_member),
        duration(words.first_response, &report.first_response),
        p90,
        duration(words.resolution, &report.resolution),
        count(words.closed, &report.closed),
        count(words.abandoned, &report.abandoned),
    ]
}

/// `+12 %`, from values and how many they stand for.
fn change(words: &ReportWords, (now, many): (usize, usize), (before, many_before): (usize, usize)) -> String {
    if many.min(many_before) < VALUES_MIN || before == 0 {
        return words.too_few.to_owned();
    }
    let signed = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let (now, before) = (signed(now), signed(before));
    // Rounded to whole percent, halves away from zero.
    let difference = (now - before).saturating_mul(200);
    let percent = (difference + difference.signum() * before) / (before * 2);
    match percent {
        0 => words.same.to_owned(),
        percent if percent > 0 => format!("+{percent} %"),
        percent => format!("\u{2212}{} %", percent.abs()),
    }
}

fn worst_hour(report: &DailyReportShape, words: &ReportWords) -> Option<String> {
    let worst = report.worst_hour.as_ref()?;
    Some(format!("{} h ({})", worst.hour, words.duration(Some(worst.median_ms))))
}

fn sectors(report: &DailyReportShape, words: &ReportWords) -> Vec<Vec<String>> {
    let rows = report.sectors.iter().map(|sector| {
        let name = sector.name.as_deref().or(sector.id.as_deref()).unwrap_or(words.no_sector);
        vec![
            name.to_owned(),
            format!("{}: {}", words.messages_in, words.number(sector.messages_in)),
            format!("{}: {}", words.created, words.number(sector.created)),
            format!("{}: {}", words.first_response, words.duration(sector.first_response_median_ms)),
        ]
    });
    rows.collect()
}

/// Names of sectors are the provider's, and could hold anything.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::daily_report::ReportLanguage;
    use crate::protocol::daily_report::{SectorShape, WorstHourShape};

    fn report(language: ReportLanguage) -> DailyReportShape {
        let count = |count, before| CountShape { count, before };
        DailyReportShape {
            day: date(2026, 3, 3),
            compared_with: date(2026, 2, 24),
            time_zone: "America/Sao_Paulo".to_owned(),
            language,
            created: count(412, 380),
            closed: count(19, 400),
            abandoned: count(3, 3),
            messages_in: count(1_204, 1_204),
            messages_member: count(900, 1_000),
            first_response: DurationShape {
                count: 300,
                median_ms: Some(540_000),
                p90_ms: Some(1_800_000),
                count_before: 280,
                median_before_ms: Some(630_000),
            },
            resolution: DurationShape::default(),
            worst_hour: Some(WorstHourShape { hour: 14, count: 30, median_ms: 1_260_000 }),
            sectors: vec![SectorShape {
                id: Some("s".to_owned()),
                name: Some("<b>Vendas & cia".to_owned()),
                created: 200,
                messages_in: 700,
                first_responses: 150,
                first_response_median_ms: Some(300_000),
            }],
        }
    }

    #[test]
    fn the_report_says_what_was_and_how_far_that_is_from_the_week_before() {
        let report = report(ReportLanguage::Portuguese);
        assert_eq!(
            subject(&report),
            "Relatório diário: terça-feira, 03/03/2026 · Conversas novas 412 · 1ª resposta 9 min"
        );
        let text = plain(&report);
        for line in [
            "Comparado com: terça-feira, 24/02/2026",
            "Conversas novas: 412 (Semana anterior: 380; Variação: +8 %)",
            "Mensagens de clientes: 1.204 (Semana anterior: 1.204; Variação: igual)",
            "Mensagens de atendentes: 900 (Semana anterior: 1.000; Variação: −10 %)",
            "1ª resposta (mediana): 9 min (Semana anterior: 11 min; Variação: −14 %)",
            "Conversas encerradas: 19 (Semana anterior: 400; Variação: poucos valores)",
            "Resolução (mediana): – (Semana anterior: –; Variação: –)",
            "Pior hora da 1ª resposta: 14 h (21 min)",
            "- <b>Vendas & cia · Mensagens de clientes: 700",
        ] {
            assert!(text.contains(line), "{line:?} is missing in\n{text}");
        }
    }

    #[test]
    fn both_forms_of_the_mail_say_the_same_and_names_are_no_markup() {
        let html = html(&report(ReportLanguage::English));
        assert!(html.starts_with("<!doctype html><html lang=\"en\">"));
        assert!(html.contains("&lt;b&gt;Vendas &amp; cia"), "{html}");
        for told in
            ["412", "1,204", "9 min", "30 min", "+8 %", "14 h (21 min)", "Compared with: Tuesday, 2026-02-24"]
        {
            assert!(html.contains(told), "{told:?} is missing in\n{html}");
        }
    }

    #[test]
    fn a_day_without_anything_says_so_in_place_of_zeros() {
        let nothing = CountShape::default();
        let empty = DailyReportShape {
            created: nothing,
            closed: nothing,
            abandoned: nothing,
            messages_in: nothing,
            messages_member: nothing,
            first_response: DurationShape::default(),
            worst_hour: None,
            sectors: Vec::new(),
            ..report(ReportLanguage::English)
        };
        for text in [plain(&empty), html(&empty)] {
            assert!(text.contains("There were no chats and no messages on this day."), "{text}");
            assert!(!text.contains("New chats: 0"), "{text}");
        }
    }
}
