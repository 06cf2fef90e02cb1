//! The checks of a target, over one start of it for each stream that it is fed.

mod answers;
mod endings;
mod feed;
mod rules;
mod states;
mod streams;
mod traps;

use crate::ended::ending;
use crate::program::test_folder;
use crate::report::Rule;
use crate::{Check, ConformanceError, Limits, Program, Report};

use feed::{Fed, Feeder};

/// Tests a target. It loads small tables of a few records each; they stay.
///
/// # Errors
/// When it does not start. What it does wrong is in the report.
pub async fn test_target(program: &Program, limits: Limits) -> Result<Report, ConformanceError> {
    let folder = test_folder()?;
    let mut checks = answers::checks(program, limits).await?;
    let target = Feeder { program, folder: folder.path(), limits };
    let clean = target.feed(streams::CLEAN.to_owned()).await?;
    let alternating = target.feed(streams::ALTERNATING.to_owned()).await?;
    let digits = target.feed(streams::DIGITS.to_owned()).await?;
    checks.push(clean.taken(&rules::EXIT));
    checks.push(states::stdout(&[&clean, &alternating, &digits]));
    checks.push(states::order(&alternating));
    checks.push(states::last(&[&clean, &alternating]));
    checks.push(states::bytes(&digits));
    checks.push(target.feed(streams::BLANK_LINES.to_owned()).await?.taken(&rules::BLANK_LINES));
    checks.push(target.feed(streams::UNKNOWN.to_owned()).await?.taken(&rules::UNKNOWN_MESSAGES));
    for (rule, stream) in streams::REFUSED {
        checks.push(target.feed(stream.to_owned()).await?.refused(rule));
    }
    for group in &traps::GROUPS {
        checks.push(group.check(&target).await?);
    }
    checks.push(endings::sigterm(&target).await?);
    checks.push(endings::closed_stdout(&target).await?);
    checks.push(clean.ended.leftovers(&rules::PROCESSES));
    Ok(Report { checks })
}

impl Fed {
    /// Whether it took the stream to its end.
    fn taken(&self, rule: &Rule) -> Check {
        match self.ended.exit {
            None => rule.failed(format!("it had not ended {} s after its input", self.longest.as_secs_f32())),
            Some(exit) if exit.success() => rule.ok("exit code 0"),
            Some(exit) => rule.failed(format!("{}{}", ending(exit), self.ended.said())),
        }
    }

    /// Whether it refused the stream.
    fn refused(&self, rule: &Rule) -> Check {
        match self.ended.exit {
            None => rule.failed(format!("it had not ended {} s after its input", self.longest.as_secs_f32())),
            Some(exit) if exit.success() => rule.failed("it took that with exit code 0"),
            Some(exit) => rule.ok(format!("it was refused with {}", ending(exit))),
        }
    }
}
