use std::fmt;

use super::{Fault, excerpt::excerpt};
use crate::place::Place;

/// One thing that is wrong, and where.
#[derive(Debug, Clone)]
pub struct Problem {
    fault: Box<Fault>,
    place: Option<Place>,
    /// A second place that belongs to it, with what it is: `first here`.
    other: Option<(&'static str, Place)>,
}

impl Problem {
    pub(crate) fn new(fault: impl Into<Fault>, place: &Place) -> Self {
        Self { fault: Box::new(fault.into()), place: Some(place.clone()), other: None }
    }

    pub(crate) fn nowhere(fault: impl Into<Fault>) -> Self {
        Self { fault: Box::new(fault.into()), place: None, other: None }
    }

    pub(crate) fn and(mut self, label: &'static str, other: &Place) -> Self {
        self.other = Some((label, other.clone()));
        self
    }

    /// The code of its page, in the range `E01xx`.
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.fault.hint()
    }

    /// Whether another machine may have what is missing here.
    pub(crate) fn is_of_the_machine(&self) -> bool {
        self.fault.is_of_the_machine()
    }

    /// `file:line:column: what`, without the excerpt.
    pub(crate) fn line(&self) -> String {
        self.place.as_ref().map_or_else(|| self.fault.to_string(), |place| format!("{place}: {}", self.fault))
    }

    /// Where it is; `None` for what is in no file, such as a missing project.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

/// `file:line:column: what`, then the offending line with a caret under it.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            return self.fault.fmt(formatter);
        };
        write!(formatter, "{place}: {}\n{}", self.fault, excerpt(place, None))?;
        if let Some((label, other)) = &self.other {
            if other.file != place.file {
                write!(formatter, "\n{other}:")?;
            }
            write!(formatter, "\n{}", excerpt(other, Some(label)))?;
        }
        Ok(())
    }
}

/// Everything that is wrong with the project's files, at least one problem. Exit code 78.
#[derive(Debug, Clone)]
pub struct ConfigError {
    first: Problem,
    rest: Vec<Problem>,
}

impl ConfigError {
    /// `Ok` when there is no problem.
    pub(crate) fn unless_none(problems: Vec<Problem>) -> Result<(), Self> {
        let mut problems = problems.into_iter();
        match problems.next() {
            None => Ok(()),
            Some(first) => Err(Self { first, rest: problems.collect() }),
        }
    }

    /// The problems, in the order of the file.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = vec![self.first];
        problems.extend(self.rest);
        problems
    }

    /// The code of the first problem.
    pub fn code(&self) -> &'static str {
        self.first.code()
    }

    /// What to do. With several problems each has its hint in the text.
    pub fn hint(&self) -> Option<String> {
        if self.rest.is_empty() { self.first.hint() } else { None }
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { first: problem, rest: Vec::new() }
    }
}

impl std::error::Error for ConfigError {}

/// One problem as it is; several with their codes and hints, a blank line between them.
impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rest.is_empty() {
            return self.first.fmt(formatter);
        }
        for (at, problem) in self.problems().enumerate() {
            if at > 0 {
                write!(formatter, "\n\nerror[{}]: ", problem.code())?;
            }
            problem.fmt(formatter)?;
            if let Some(hint) = problem.hint() {
                write!(formatter, "\n  hint: {hint}")?;
            }
        }
        write!(formatter, "\n\n{} things are wrong", self.rest.len() + 1)
    }
}
