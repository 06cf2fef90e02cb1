//! The exit codes, all of them. They are part of the promise to scripts: a number never changes its
//! meaning. 64 to 78 are those of BSD's sysexits.h, 124 that of timeout(1), 128 + n that of a shell.

/// Done, also when nothing was new.
pub(crate) const SUCCESS: u8 = 0;
/// Several pipelines failed, for different reasons.
pub(crate) const SEVERAL: u8 = 1;
/// The command line was not understood, or asks for what is not built yet.
pub(crate) const COMMAND_LINE: u8 = 2;
/// The tap's output or a record in it was wrong.
pub(crate) const DATA: u8 = 65;
/// The target or the store failed.
pub(crate) const UNAVAILABLE: u8 = 69;
/// A bug in tapster.
pub(crate) const BUG: u8 = 70;
/// Another run holds the pipeline, or took it over: try later.
pub(crate) const BUSY: u8 = 75;
/// The tap failed.
pub(crate) const TAP: u8 = 76;
/// A file, a secret or a named stream is missing or wrong.
pub(crate) const CONFIGURATION: u8 = 78;
/// It took too long, or the tap fell silent.
pub(crate) const TIMEOUT: u8 = 124;
/// Stopped by Ctrl-C (SIGINT).
pub(crate) const INTERRUPTED: u8 = 130;
/// Stopped by SIGTERM.
pub(crate) const TERMINATED: u8 = 143;

/// That of a verb for several pipelines, of which these failed.
pub(crate) fn together(mut failed: impl Iterator<Item = u8>) -> u8 {
    let Some(first) = failed.next() else { return SUCCESS };
    if failed.all(|code| code == first) { first } else { SEVERAL }
}

/// The table at the foot of `tapster --help` and `tapster run --help`.
pub(crate) const HELP: &str = "\
Exit codes:
    0  success, also when nothing was new
    1  several pipelines failed, for different reasons
    2  the command line
   65  the tap's output, or a record in it
   69  the target or the store
   70  a bug in tapster
   75  busy or taken over by another run: try later
   76  the tap failed
   78  a file, a secret or a named stream
  124  a timeout, or the tap fell silent
  130  stopped by Ctrl-C     143  stopped by SIGTERM";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code() {
        let codes = [
            SUCCESS,
            SEVERAL,
            COMMAND_LINE,
            DATA,
            UNAVAILABLE,
            BUG,
            BUSY,
            TAP,
            CONFIGURATION,
            TIMEOUT,
            INTERRUPTED,
            TERMINATED,
        ];
        let named: Vec<u8> = HELP.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(named, codes);
    }
}
