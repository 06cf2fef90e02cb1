/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A text; the only shape that `${…}` may stand in, beside [`Shape::Json`].
    Text,
    /// A text that holds `{schema}`, `{table}` and the like.
    NameTemplate,
    /// When a pipeline runs, as in a crontab.
    Cron,
    Boolean,
    /// `false` alone: something is not there.
    False,
    Integer {
        least: u64,
        most: u64,
    },
    /// `30s`; whether nought is one.
    Duration {
        zero: bool,
    },
    /// `64MiB`; whether nought is one.
    Size {
        zero: bool,
    },
    /// One of a closed list.
    Word(&'static [Word]),
    /// Whatever the program behind it takes.
    Json,
    /// A map of such.
    JsonMap,
    List(&'static Shape),
    Block(&'static Block),
    /// A map whose keys the user names.
    Named(&'static Shape),
    /// A map whose keys are patterns.
    Patterns(&'static Shape),
    /// The first that fits the kind of the value.
    Either(&'static [Shape]),
}

/// A map with known keys.
#[derive(Debug)]
pub(crate) struct Block {
    /// For "unknown key … in": `a tap block`.
    pub(crate) what: &'static str,
    /// In groups, so that a file and its overlay share one.
    pub(crate) keys: &'static [&'static [Key]],
    /// Whether keys that begin with `x-` are passed over.
    pub(crate) takes_own_keys: bool,
}

/// One key of a block.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What it does, for the editor.
    pub(crate) about: &'static str,
    /// False: it is a word of the file format, and a pipeline that uses it cannot run yet.
    pub(crate) is_built: bool,
    /// It is taken and changes nothing of a run: what does not happen, because nothing acts on it yet.
    pub(crate) idle: Option<&'static str>,
}

/// One word of a closed list.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: &'static str,
    pub(crate) is_built: bool,
}

impl Block {
    pub(crate) const fn new(what: &'static str, keys: &'static [&'static [Key]]) -> Self {
        Self { what, keys, takes_own_keys: false }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().copied().flatten()
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }
}

impl Key {
    pub(crate) const fn new(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, shape, about, is_built: true, idle: None }
    }

    pub(crate) const fn idle(mut self, therefore: &'static str) -> Self {
        self.idle = Some(therefore);
        self
    }

    pub(crate) const fn later(mut self) -> Self {
        self.is_built = false;
        self
    }
}

impl Word {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, is_built: true }
    }

    pub(crate) const fn later(text: &'static str) -> Self {
        Self { text, is_built: false }
    }
}
