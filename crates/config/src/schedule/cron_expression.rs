//! Five fields as cron(8) reads them. The crate behind them counts the days of the week from 1 for Sunday and asks for
//! seconds first, so they are translated for it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::Utc;
use cron::Schedule;

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const NICKNAMES: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// What one field may hold.
struct Field {
    what: &'static str,
    range: RangeInclusive<u32>,
    /// The names of the numbers from the first of the range on.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { what: "minute", range: 0..=59, names: &[] },
    Field { what: "hour", range: 0..=23, names: &[] },
    Field { what: "day of the month", range: 1..=31, names: &[] },
    Field { what: "month", range: 1..=12, names: &MONTHS },
    // 0 and 7 are Sunday.
    Field { what: "day of the week", range: 0..=7, names: &DAYS },
];

/// Says what is wrong with a cron expression: one that cannot be read, or that names no moment there is.
pub(crate) fn check_cron(text: &str) -> Result<(), String> {
    if text.starts_with('@') {
        return if NICKNAMES.contains(&text) {
            Ok(())
        } else {
            Err(format!("`{text}` is none of {}", NICKNAMES.join(", ")))
        };
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() != FIELDS.len() {
        return Err(format!("it has {} fields", words.len()));
    }
    let numbers = words.iter().zip(&FIELDS).map(|(word, field)| field.numbers(word));
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let [minutes, hours, days, months, weekdays] = numbers.as_slice() else { return Ok(()) };
    let schedule = |days: &BTreeSet<u32>, weekdays: &str| {
        Schedule::from_str(&format!(
            "0 {} {} {} {} {weekdays}",
            list(minutes),
            list(hours),
            list(days),
            list(months)
        ))
        .map_err(|error| error.to_string())
    };
    // With both kinds of days given, either is enough; a day of the week is in every month.
    let is_any = |at: usize| words.get(at).is_some_and(|word| word.starts_with('*'));
    if is_any(4) && schedule(days, "*")?.upcoming(Utc).next().is_none() {
        return Err("no month has such a day".to_owned());
    }
    let weekdays = weekdays.iter().map(|day| day % 7 + 1).collect();
    schedule(days, &list(&weekdays)).map(drop)
}

fn list(numbers: &BTreeSet<u32>) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

impl Field {
    /// The numbers that a list of `*`, `3`, `1-5`, each with `/2` or without, stands for.
    fn numbers(&self, word: &str) -> Result<BTreeSet<u32>, String> {
        let mut numbers = BTreeSet::new();
        for part in word.split(',') {
            let wrong = || format!("`{part}` is no {}", self.what);
            let (range, step) =
                part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            let every: usize = step.map_or(Ok(1), str::parse).map_err(|_| wrong())?;
            let (first, last) = match (range, range.split_once('-')) {
                ("*", _) => (*self.range.start(), *self.range.end()),
                (_, Some((first, last))) => (self.number(first)?, self.number(last)?),
                // `5/10` goes on to the end.
                (_, None) if step.is_some() => (self.number(range)?, *self.range.end()),
                (_, None) => (self.number(range)?, self.number(range)?),
            };
            if every == 0 || first > last {
                return Err(wrong());
            }
            numbers.extend((first..=last).step_by(every));
        }
        Ok(numbers)
    }

    fn number(&self, word: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| word.eq_ignore_ascii_case(name));
        let named = named.and_then(|at| u32::try_from(at).ok()).map(|at| at + self.range.start());
        let (least, most) = (self.range.start(), self.range.end());
        named
            .or_else(|| word.parse().ok().filter(|number| self.range.contains(number)))
            .ok_or_else(|| format!("the {} `{word}` is none from {least} to {most}", self.what))
    }
}

#[cfg(test)]
mod tests {
    use super::check_cron;

    #[test]
    fn what_cron_reads_is_taken() {
        for text in [
            "*/15 * * * *",
            "0 6-20 * * mon-fri",
            "30 2 1,15 JAN-jun 0",
            "0 0 * * 7",
            "0 0 * * 5-7",
            "5/20 * * * *",
            "0 0 30 2 mon",
            "0 0 29 2 *",
            "@daily",
        ] {
            assert_eq!(check_cron(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn nonsense_is_told_by_its_field() {
        for (text, told) in [
            ("every day", "it has 2 fields"),
            ("", "it has 0 fields"),
            ("0 * * * * *", "it has 6 fields"),
            ("61 * * * *", "the minute `61` is none from 0 to 59"),
            ("0 24 * * *", "the hour `24` is none from 0 to 23"),
            ("0 0 0 * *", "the day of the month `0` is none from 1 to 31"),
            ("0 0 * 13 *", "the month `13` is none from 1 to 12"),
            ("0 0 * * 8", "the day of the week `8` is none from 0 to 7"),
            ("0 0 * * moon", "the day of the week `moon` is none from 0 to 7"),
            ("*/0 * * * *", "`*/0` is no minute"),
            ("20-10 * * * *", "`20-10` is no minute"),
            ("0 0 30 2 *", "no month has such a day"),
            ("@noon", "`@noon` is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly"),
        ] {
            assert_eq!(check_cron(text), Err(told.to_owned()), "{text}");
        }
    }
}
