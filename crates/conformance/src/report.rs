//! What came of a test, check by check.

use serde::Serialize;

/// What is said of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Ok,
    /// It does not.
    Failed,
    /// It could not be judged.
    Skipped,
}

/// One check and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, which stays the same.
    pub name: &'static str,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was found, or why it could not be judged. Never a record's value.
    pub found: String,
    /// Why it matters to loading.
    pub why: &'static str,
}

/// All checks, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// How many checks ended so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }
}

/// A check before it is made.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

impl Rule {
    pub(crate) fn ok(&self, found: impl Into<String>) -> Check {
        self.check(Verdict::Ok, found.into())
    }

    pub(crate) fn failed(&self, found: impl Into<String>) -> Check {
        self.check(Verdict::Failed, found.into())
    }

    pub(crate) fn skipped(&self, reason: impl Into<String>) -> Check {
        self.check(Verdict::Skipped, reason.into())
    }

    /// Failed if there are findings.
    pub(crate) fn judged(&self, findings: &Findings, ok: impl Into<String>) -> Check {
        match findings.sentence() {
            Some(found) => self.failed(found),
            None => self.ok(ok),
        }
    }

    fn check(&self, verdict: Verdict, found: String) -> Check {
        Check { name: self.name, verdict, found, why: self.why }
    }
}

/// Most findings of one check that are told one by one.
const TOLD: usize = 3;

/// What one check found wrong: the first few, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    first: Vec<String>,
    count: u64,
}

impl Findings {
    pub(crate) fn add(&mut self, finding: impl Into<String>) {
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(finding.into());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn sentence(&self) -> Option<String> {
        let told = self.first.join("; ");
        match self.count {
            0 => None,
            count if count > TOLD as u64 => Some(format!("{told}; and {} more", count - TOLD as u64)),
            _ => Some(told),
        }
    }
}
