//! Several pipelines: one child process a run, since one run is one process. All run, even if one fails.

use std::process::{Child, Command};
use std::thread;

use crate::args::{Global, Run};
use crate::error::CliError;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table};

/// Runs them two at a time and tells the exit code of each.
pub(super) fn run(global: &Global, names: &[String], args: &Run) -> Outcome {
    let queue = std::sync::Mutex::new(names.iter());
    let codes = std::sync::Mutex::new(Vec::new());
    let worker = || {
        loop {
            let Some(name) = queue.lock().ok().and_then(|mut queue| queue.next()) else { return };
            let code = start(global, name, args).and_then(|mut child| child.wait());
            if let Ok(mut codes) = codes.lock() {
                codes.push((name.clone(), code.ok().and_then(|status| status.code())));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(worker);
        }
    });
    let mut codes = codes.into_inner().unwrap_or_default();
    codes.sort_by_key(|(name, _)| names.iter().position(|known| known == name));
    tell(global, &codes)?;
    Ok(together(&codes))
}

fn start(global: &Global, name: &str, args: &Run) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("run").arg(name);
    if let Some(project) = &global.project {
        command.arg("--project").arg(project);
    }
    if let Some(environment) = &global.environment {
        command.arg("--environment").arg(environment);
    }
    let repeated = args
        .select
        .iter()
        .map(|text| ("--select", text))
        .chain(args.exclude.iter().map(|text| ("--exclude", text)));
    for (flag, text) in repeated {
        command.arg(flag).arg(text);
    }
    for (flag, value) in [("--wait", &args.wait), ("--timeout", &args.timeout)] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    for (flag, set) in [
        ("--full-refresh", args.full_refresh),
        ("--dry-run", args.dry_run),
        ("--quiet", global.quiet || global.json),
    ] {
        if set {
            command.arg(flag);
        }
    }
    if global.log_format == crate::args::LogFormat::Json {
        command.args(["--log-format", "json"]);
    }
    command.args((0..global.verbose).map(|_| "-v"));
    if global.json {
        command.stdout(std::process::Stdio::null());
    }
    command.spawn()
}

fn tell(global: &Global, codes: &[(String, Option<i32>)]) -> Result<(), CliError> {
    let document: Vec<_> =
        codes.iter().map(|(name, code)| serde_json::json!({ "pipeline": name, "exit_code": code })).collect();
    Printer::new(global).result(&document, || {
        let mut table = Table::new(&[("pipeline", Align::Left), ("exit", Align::Right)]);
        for (name, code) in codes {
            table.line([name.clone(), code.map_or_else(|| "killed".to_owned(), |code| code.to_string())]);
        }
        table.render(0)
    })
}

/// 0 when all succeeded, the common code when all that failed have one, 1 otherwise.
fn together(codes: &[(String, Option<i32>)]) -> u8 {
    let mut failed = codes.iter().filter(|(_, code)| *code != Some(0)).map(|(_, code)| *code);
    let Some(first) = failed.next() else { return exit_code::SUCCESS };
    let same = failed.all(|code| code == first);
    first.filter(|_| same).and_then(|code| u8::try_from(code).ok()).unwrap_or(exit_code::SEVERAL)
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn one_reason_keeps_its_code_and_several_are_1() {
        let codes = |codes: &[i32]| codes.iter().map(|&code| (String::new(), Some(code))).collect::<Vec<_>>();
        assert_eq!(together(&codes(&[0, 0])), 0);
        assert_eq!(together(&codes(&[0, 76, 76])), 76);
        assert_eq!(together(&codes(&[0, 76, 69])), 1);
        assert_eq!(together(&[(String::new(), None)]), 1);
    }
}
