//! Everything that a run needs to know, resolved.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use load::{DecodeLimits, Rules, StateEdit};
use singer::{State, StateError, TapFlags};
use target_api::{RunIdentity, Target, TargetError};
use tokio::sync::mpsc;

use crate::{ProgramConfig, Side};

/// How to start a program: a tap, or a target that is one of its own.
#[derive(Clone)]
pub struct ProgramCommand {
    /// What it is.
    pub side: Side,
    /// Its program and first arguments; no shell.
    pub argv: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// Its config.
    pub config: ProgramConfig,
    /// Folders besides the run's own where the files of its BATCH messages may lie.
    pub batch_roots: Vec<PathBuf>,
    /// The tapster binary, which guards it.
    pub guard: PathBuf,
    /// Under which private folders are made.
    pub private: PathBuf,
    /// The log of its standard error.
    pub log: PathBuf,
    /// Takes secrets out of a text.
    pub redact: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

/// How much and how long.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// Of lines, batches and checkpoints.
    pub decode: DecodeLimits,
    /// Longest run.
    pub timeout: Option<Duration>,
    /// Longest silence of a tap that is not held up by the target.
    pub idle_timeout: Duration,
    /// Most bytes that may wait for a STATE.
    pub max_staged: u64,
    /// How long a tap may take to end when asked to.
    pub grace: Duration,
    /// How often a run starts the tap again after a temporary error.
    pub attempts: Attempts,
}

/// How often, and after which waits.
#[derive(Debug, Clone)]
pub struct Attempts(pub Vec<Duration>);

impl Default for Attempts {
    /// Three further attempts.
    fn default() -> Self {
        Self([1, 4, 15].map(Duration::from_secs).to_vec())
    }
}

/// Makes the target anew for every attempt, since an epoch dies with its connection.
pub type MakeTarget = Arc<dyn Fn() -> Result<Box<dyn Target>, TargetError> + Send + Sync>;

/// What the tap is given of the committed STATE.
pub type StartEdit = Arc<dyn Fn(State) -> Result<Option<State>, StateError> + Send + Sync>;

/// What becomes of the tap's STATE, given the committed one, before it is committed.
pub type CommitEdit = Arc<dyn Fn(State, Option<&State>) -> Result<State, StateError> + Send + Sync>;

/// One run, resolved.
#[derive(Clone)]
pub struct RunPlan {
    /// Who runs.
    pub identity: RunIdentity,
    /// The tap.
    pub tap: ProgramCommand,
    /// The catalog with its selection, JSON text; `None` for a tap that has none.
    pub catalog: Option<String>,
    /// By which flags the tap takes its files.
    pub flags: TapFlags,
    /// Makes the target; where the records go to a program of its own, what keeps the STATE for it.
    pub target: MakeTarget,
    /// The program that the records go to instead.
    pub relay: Option<ProgramCommand>,
    /// What the pipeline says about streams.
    pub rules: Rules,
    /// Full refresh: what the tap does not get of the STATE.
    pub start_edit: StartEdit,
    /// A partial run: which bookmarks are kept that the tap dropped.
    pub commit_edit: CommitEdit,
    /// Limits.
    pub limits: RunLimits,
    /// Whether the tap goes on for ever, which is told to it: the first signal then asks it to end, what it still says
    /// is read, and a tap that ends with 0 ends the run well.
    pub continuous: bool,
    /// When the run began, discovery included: its timeout counts from here.
    pub started: Instant,
}

impl RunPlan {
    /// What of this STATE the tap is given.
    ///
    /// # Errors
    /// When it has no shape in which streams can be told apart, and only some start over.
    pub fn start(&self, state: Option<State>) -> Result<Option<State>, StateError> {
        match state {
            Some(state) if self.flags.state => (self.start_edit)(state),
            _ => Ok(None),
        }
    }

    /// The edit of the tap's STATEs for a run that starts from `before`.
    pub(crate) fn edit(&self, before: Option<State>) -> Box<StateEdit> {
        let edit = Arc::clone(&self.commit_edit);
        Box::new(move |state| edit(state, before.as_ref()))
    }
}

/// A signal that asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT, exit 130.
    Interrupt,
    /// SIGTERM, exit 143.
    Terminate,
}

impl StopSignal {
    /// Exit code of a run that it stopped.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Signals as they come: the first stops in order, the second at once.
pub type Shutdown = mpsc::Receiver<StopSignal>;
