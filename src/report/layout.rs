//! Columns and paragraphs that are right for wide characters.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use unicode_linebreak::{BreakOpportunity, linebreaks};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::language::Language;
use super::words::{Look, clean};

/// A table without lines: two spaces between columns, wrapped to `columns`.
pub(super) fn table(columns: usize) -> Table {
    let mut table = Table::new();
    // The last column's padding is no more than blanks at the end of lines, which are taken away.
    let width = narrow(columns.saturating_add(1));
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}

/// The table's lines, indented by what the table pads with.
pub(super) fn lines(table: &Table) -> Vec<String> {
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// `text` after `mark`, wrapped, with the following lines aligned.
pub(super) fn paragraph(indent: usize, mark: &str, text: &str, look: Look) -> Vec<String> {
    let taken = indent + mark.width();
    let room = look.columns().saturating_sub(taken).max(20);
    let lead = format!("{:indent$}{mark}", "");
    let follow = " ".repeat(taken);
    let begins = std::iter::once(&lead).chain(std::iter::repeat(&follow));
    let lines = match look.language {
        Language::English => at_blanks(text, room),
        Language::Chinese => where_allowed(&clean(text), room),
    };
    lines.iter().zip(begins).map(|(line, begin)| format!("{begin}{}", line.trim_end())).collect()
}

/// Lines of at most `room` columns, broken at blanks; a word that is too long is cut.
fn at_blanks(text: &str, room: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.add_row([clean(text)]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(narrow(room))));
    }
    table.lines().collect()
}

/// Lines of at most `room` columns, broken where Unicode allows it (UAX #14): between Han characters, but not before a
/// comma or after an opening bracket. A word that is too long is cut.
fn where_allowed(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut begin = 0;
    for (end, opportunity) in linebreaks(text) {
        let piece = &text[begin..end];
        begin = end;
        let fits = |line: &str| line.width() + piece.trim_end().width() <= room;
        if !lines.last().is_some_and(|line| line.is_empty() || fits(line)) {
            lines.push(String::new());
        }
        for c in piece.trim_end_matches('\n').chars() {
            if lines.last().is_some_and(|line| line.width() + c.width().unwrap_or_default() > room)
                && c != ' '
            {
                lines.push(String::new());
            }
            lines.last_mut().into_iter().for_each(|line| line.push(c));
        }
        if opportunity == BreakOpportunity::Mandatory && end < text.len() {
            lines.push(String::new());
        }
    }
    lines
}

/// `text` broken at words to fit the look.
pub fn wrapped(text: &str, look: Look) -> String {
    look.signs(paragraph(0, "", text, look).join("\n"))
}

/// `text` in exactly `columns` columns: cut with `…`, or filled with spaces.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let text = clean(text);
    let width = text.width();
    if width <= columns {
        return format!("{text}{}", " ".repeat(columns - width));
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or_default();
        if used + wide + 1 > columns {
            break;
        }
        kept.push(c);
        used += wide;
    }
    format!("{kept}…{}", " ".repeat(columns.saturating_sub(used + 1)))
}

/// `text` cut with `…` so that it takes at most so many columns and so many bytes.
pub fn fit_bytes(text: &str, most: usize) -> String {
    let mut columns = most;
    loop {
        let fitted = fit(text, columns.min(width(text))).trim_end().to_owned();
        if fitted.len() <= most || columns == 0 {
            return fitted;
        }
        columns -= 1;
    }
}

/// How many columns `text` takes.
pub fn width(text: &str) -> usize {
    clean(text).width()
}

fn narrow(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_fills_by_columns_not_by_characters() {
        assert_eq!(fit("web", 5), "web  ");
        assert_eq!(fit("web-frontend", 5), "web-…");
        assert_eq!(fit("网站服务器", 5), "网站…");
        assert_eq!(fit("网站服务器", 6), "网站… ");
        assert_eq!(fit("a\nb", 3), "a\u{fffd}b");
    }

    #[test]
    fn cuts_by_bytes_where_they_count() {
        assert_eq!(fit_bytes("web-1", 10), "web-1");
        assert_eq!(fit_bytes("web-frontend", 8), "web-f…");
        assert!(fit_bytes("网站服务器", 10).len() <= 10);
        assert_eq!(fit_bytes("网站服务器", 15), "网站服务器");
    }

    #[test]
    fn wraps_under_its_own_mark() {
        assert_eq!(
            paragraph(2, "! ", "the power is cut, data in memory may be lost", Look::plain(40)),
            ["  ! the power is cut, data in memory may", "    be lost"]
        );
    }

    #[test]
    fn chinese_is_broken_between_characters_but_not_before_a_comma() {
        let look = Look { language: Language::Chinese, ..Look::plain(40) };
        let text =
            "负载均衡 lb-0web0001（lbl-1）正在向它转发请求；该监听器没有健康检查，客户端可能收到错误（502）";
        for columns in 40..100 {
            let look = Look { width: columns, ..look };
            let lines = paragraph(2, "! ", text, look);
            assert!(lines.iter().all(|line| width(line) <= columns), "{lines:#?}");
            let begins = |signs: &[char]| lines.iter().any(|line| line.trim_start().starts_with(signs));
            assert!(!begins(&['，', '；', '。', '）', '、', '：']), "{lines:#?}");
            assert!(!lines.iter().any(|line| line.ends_with('（')), "{lines:#?}");
            let joined: String = lines.iter().flat_map(|line| line.chars()).filter(|c| *c != ' ').collect();
            assert_eq!(joined, format!("!{}", text.replace(' ', "")), "nothing is lost");
        }
        assert_eq!(where_allowed("一二三四五六", 5), ["一二", "三四", "五六"]);
        assert_eq!(where_allowed("abcdefgh", 5), ["abcde", "fgh"]);
        assert_eq!(where_allowed("", 5), [""]);
    }
}
