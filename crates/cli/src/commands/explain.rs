use serde::Serialize;

use crate::args::{Explain, Global};
use crate::error::CliError;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{BOLD, Printer};

/// Every page of `docs/errors`, by code.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

#[derive(Serialize)]
struct Entry {
    code: &'static str,
    title: &'static str,
}

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    entry: Entry,
    text: &'static str,
}

/// `explain [CODE]`: one page, or the list of all.
pub(crate) fn run(global: &Global, args: &Explain) -> Outcome {
    let printer = Printer::new(global);
    match &args.code {
        None => {
            let entries: Vec<_> = PAGES.iter().map(|(code, page)| entry(code, page)).collect();
            printer.result(&entries, || {
                entries.iter().map(|Entry { code, title }| [code, "  ", title, "\n"].concat()).collect()
            })?;
        }
        Some(asked) => {
            let (code, page) = find(asked)?;
            let document = Page { entry: entry(code, page), text: page };
            printer.result(&document, || render(page))?;
        }
    }
    Ok(exit_code::SUCCESS)
}

fn entry(code: &'static str, page: &'static str) -> Entry {
    let title = page.lines().next().unwrap_or_default().trim_start_matches('#').trim();
    let title = title.strip_prefix(code).unwrap_or(title).trim_start_matches(':').trim();
    Entry { code, title }
}

/// Takes `E0505`, `e0505` and `505` alike.
fn find(asked: &str) -> Result<(&'static str, &'static str), CliError> {
    let number = asked.trim().trim_start_matches(['e', 'E']).parse::<u32>().ok();
    let wanted = number.map(|number| format!("E{number:04}"));
    if let Some(page) = PAGES.iter().find(|(code, _)| wanted.as_deref() == Some(*code)) {
        return Ok(*page);
    }
    let nearest = number.and_then(nearest).filter(|_| asked.len() <= 5);
    Err(CliError::UnknownCode { code: asked.to_owned(), nearest })
}

fn nearest(number: u32) -> Option<&'static str> {
    let numbered = PAGES.iter().filter_map(|(code, _)| Some((*code, code.get(1..)?.parse::<u32>().ok()?)));
    // Another hundred is another part of the program.
    let numbered = numbered.filter(|(_, other)| other / 100 == number / 100);
    numbered.min_by_key(|(_, other)| other.abs_diff(number)).map(|(code, _)| code)
}

/// The page as written, its headings bold and without their marks.
fn render(page: &str) -> String {
    page.lines()
        .map(|line| match line.strip_prefix('#') {
            Some(heading) => format!("{BOLD}{}{BOLD:#}\n", heading.trim_start_matches('#').trim_start()),
            None => format!("{line}\n"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{PAGES, entry, find};
    use crate::error::CliError;

    #[test]
    fn every_page_has_its_title_and_sections() {
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
            assert!(!entry(code, page).title.is_empty(), "{code}");
            for section in ["## Meaning", "## Causes", "## What to do"] {
                assert!(page.contains(&format!("\n{section}\n")), "{code} has no {section}");
            }
        }
    }

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for asked in ["E0505", "e0505", "0505", "505", " E0505 "] {
            assert_eq!(find(asked).unwrap().0, "E0505", "{asked}");
        }
    }

    #[test]
    fn an_unknown_code_names_the_nearest() {
        let nearest = |asked| match find(asked).unwrap_err() {
            CliError::UnknownCode { nearest, .. } => nearest,
            other => panic!("{other}"),
        };
        assert_eq!(nearest("E9999"), None);
        assert_eq!(nearest("flights"), None);
        assert_eq!(nearest("E99999999999"), None);
    }
}
