//! What a target answers when it is asked about itself.

use crate::process::ask;
use crate::{Check, ConformanceError, Limits, Program};

use super::rules::{ABOUT, HELP};

pub(super) async fn checks(program: &Program, limits: Limits) -> Result<Vec<Check>, ConformanceError> {
    let Some(help) = answer(program, "--help", limits).await? else {
        let checks =
            [HELP.failed("--help has no answer with exit code 0"), ABOUT.skipped("--help has no answer")];
        return Ok(checks.into());
    };
    let mut checks = vec![HELP.ok("asked by --help, it answers")];
    let named: Vec<&str> = ["--about", "--version"].into_iter().filter(|flag| help.contains(flag)).collect();
    if named.is_empty() {
        checks.push(ABOUT.skipped("--help names neither --about nor --version"));
        return Ok(checks);
    }
    let mut silent = Vec::new();
    for flag in &named {
        if answer(program, flag, limits).await?.is_none() {
            silent.push(*flag);
        }
    }
    checks.push(if silent.is_empty() {
        ABOUT.ok(format!("asked by {}, it answers", named.join(" and ")))
    } else {
        ABOUT.failed(format!("--help names {}, which has no answer with exit code 0", silent.join(" and ")))
    });
    Ok(checks)
}

/// What it prints for a flag, unless that is nothing or ends otherwise than with exit code 0.
async fn answer(program: &Program, flag: &str, limits: Limits) -> Result<Option<String>, ConformanceError> {
    let (stdout, exit) = ask(program, &[flag.into()], limits.timeout, |_| false).await?;
    let is_answer = exit.is_some_and(|exit| exit.success()) && !stdout.trim_ascii().is_empty();
    Ok(is_answer.then(|| String::from_utf8_lossy(&stdout).into_owned()))
}
