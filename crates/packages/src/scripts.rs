//! The programs that a package brings.

use std::fs;
use std::path::Path;

use crate::locked::LockedEnvironment;
use crate::requirement::normal;

/// The programs of the first requested package that has any, sorted.
pub(crate) fn programs(environment: &Path, entry: &LockedEnvironment) -> Vec<String> {
    let packages = environment.join(format!("lib/python{}/site-packages", entry.python));
    let mut programs = entry.requested().into_iter().map(|name| console_scripts(&packages, name));
    programs.find(|programs| !programs.is_empty()).unwrap_or_else(|| named_so(environment))
}

fn console_scripts(packages: &Path, name: &str) -> Vec<String> {
    let entries = fs::read_dir(packages).into_iter().flatten().flatten();
    let mut folders = entries.map(|entry| entry.path()).filter(|path| is_of(path, name));
    let text = folders.find_map(|folder| fs::read_to_string(folder.join("entry_points.txt")).ok());
    let mut programs = names(&text.unwrap_or_default());
    programs.sort();
    programs
}

/// Whether `Tap_x-1.2.dist-info` is of `tap-x`.
fn is_of(path: &Path, name: &str) -> bool {
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let own = file.strip_suffix(".dist-info").and_then(|text| text.rsplit_once('-'));
    own.is_some_and(|(own, _)| normal(own) == name)
}

/// The names under `[console_scripts]`.
fn names(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "[console_scripts]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned())).collect()
}

/// Older packages bring plain files: those that are named as taps and targets are.
fn named_so(environment: &Path) -> Vec<String> {
    let entries = fs::read_dir(environment.join("bin")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names
        .filter(|name| ["tap-", "target-", "source-"].iter().any(|start| name.starts_with(start)))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn console_scripts_are_read_and_nothing_else() {
        let text = "[gui_scripts]\nx = a:b\n[console_scripts]\ntap-y=tap_y:main\ntap-x = tap_x:main [s3]\n\n[z]\nq=1\n";
        assert_eq!(names(text), ["tap-y", "tap-x"]);
        assert!(is_of(Path::new("a/Tap_X-1.0.dist-info"), "tap-x"));
        assert!(!is_of(Path::new("a/tap_x_more-1.0.dist-info"), "tap-x"));
    }
}
