//! `invoke`: the tap's or the target's own command line, by hand.

use crate::args::{Global, Invoke};
use crate::commands::{in_runtime, project};
use crate::failure::Outcome;
use crate::output::Printer;
use crate::wiring::Invoked;

/// Its exit code is the program's.
pub(crate) fn run(global: &Global, args: &Invoke) -> Outcome {
    let (project, name) = project::open_one(global, &args.pipeline)?;
    let pipeline = project.pipeline(&name)?;
    let invoked = if args.target {
        Invoked::target(&project, &pipeline, Printer::new(global))?
    } else {
        Invoked::tap(&project, &pipeline, Printer::new(global))?
    };
    runner::sweep(&invoked.command.private);
    in_runtime(async |signals| Ok(runner::invoke(&invoked.command, &args.arguments, signals).await?))
        .map_err(|failure| failure.redacted(&pipeline.secrets))
}
