//! Reads what a tap says, line by line, to its end or to the limits.

use std::time::Duration;

use singer::LineBuffer;
use tokio::io::AsyncReadExt as _;
use tokio::time::{sleep, timeout_at};

use super::hearing::Hearing;
use crate::Limits;
use crate::process::Process;

/// Longest line: that of a run of tapster.
const LINE_BYTES: usize = 64 << 20;
/// How long the output may stay open behind its writer's end.
const AFTER_EXIT: Duration = Duration::from_secs(2);

/// How far a run was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// To its end.
    Whole,
    /// Until there were so many records.
    Records(u64),
    /// Until a line that is longer than any may be.
    Unreadable,
    /// Until its time was over.
    Timeout(Duration),
}

impl Heard {
    pub(super) fn to_the_end(self) -> bool {
        self == Self::Whole
    }

    /// Why it was not heard to its end.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Whole => "it has ended".to_owned(),
            Self::Unreadable => "its run was cut off at a line that is too long".to_owned(),
            Self::Records(records) => format!("its run was cut off after {records} records (--records)"),
            Self::Timeout(longest) => {
                format!("its run was cut off after {} s (--timeout)", longest.as_secs_f32())
            }
        }
    }
}

pub(super) async fn listen(process: &mut Process, limits: Limits, hearing: &mut Hearing) -> Heard {
    let Some(mut stdout) = process.stdout.take() else { return Heard::Whole };
    let deadline = tokio::time::Instant::now() + limits.timeout;
    let mut lines = LineBuffer::new(LINE_BYTES);
    loop {
        let read = async {
            let quiet = async {
                process.exit().await;
                sleep(AFTER_EXIT).await;
            };
            tokio::select! {
                biased;
                read = stdout.read(lines.space()) => read.unwrap_or(0),
                () = quiet => 0,
            }
        };
        let Ok(count) = timeout_at(deadline, read).await else { return Heard::Timeout(limits.timeout) };
        if count == 0 {
            if let Some(line) = lines.last_line() {
                hearing.half_line(line);
            }
            return Heard::Whole;
        }
        lines.filled(count);
        while let Some(line) = lines.next_line().transpose() {
            let line = line.map(<[u8]>::to_vec);
            hearing.lines = lines.line_number();
            match line {
                Ok(line) => hearing.line(&line),
                Err(error) => {
                    hearing.unreadable(&error.to_string());
                    return Heard::Unreadable;
                }
            }
            if hearing.records() >= limits.records {
                return Heard::Records(hearing.records());
            }
        }
    }
}
