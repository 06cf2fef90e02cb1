//! One stream on its way: its table and the records that are not out yet.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use columns::{
    BatchBuilder, DELETED_AT, Flattened, RecordError, SchemaRefused, StreamName, TableOptions, TableSchema,
    ValueLimits, table_schema,
};
use singer::{JsonReader, ReadError, SchemaMessage};
use target_api::{Deletes, Table, TableName, table_name};

use crate::validation::Validation;
use crate::{DecodeError, StreamRule};

/// The `_sdc_` columns that the messages themselves have asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Added {
    versioned: bool,
    deleted_at: bool,
}

/// A stream that has a SCHEMA.
pub(crate) struct Stream {
    pub(crate) name: StreamName,
    rule: StreamRule,
    schema: Box<SchemaMessage>,
    /// What the last SCHEMA gave, before any value widened it.
    declared: TableSchema,
    /// Where columns of nested objects are in a record.
    paths: Paths,
    added: Added,
    /// The version that its last `ACTIVATE_VERSION` named.
    pub(crate) announced: Option<i64>,
    /// Whether records have gone out since.
    pub(crate) followed: bool,
    /// Whether the target has been given its table, and whether a STATE has come since the SCHEMA: the table goes
    /// out with that checkpoint at the latest. It waits until then, because what a first record or `ACTIVATE_VERSION`
    /// says of it would else be a change of a table just made.
    pub(crate) opened: bool,
    pub(crate) due: bool,
    /// Undeclared properties that were told.
    told: HashSet<String>,
    /// What its records are held against, and what the one that was walked last breaks.
    validation: Option<Validation>,
    invalid: Option<RecordError>,
    pub(crate) builder: BatchBuilder,
    /// How many of the builder's records came before the noted STATE.
    pub(crate) mark: usize,
    /// Heap bytes of the builder when last asked, and wire bytes since then.
    pub(crate) held: usize,
    pub(crate) unweighed: usize,
    /// Time since its last batch in which its records came.
    pub(crate) reading: Duration,
}

impl Stream {
    pub(crate) fn new(
        schema: Box<SchemaMessage>,
        rule: StreamRule,
        limits: &ValueLimits,
    ) -> Result<Self, SchemaRefused> {
        // A version that is activated marks the records of others.
        let added = Added { versioned: false, deleted_at: rule.deletes == Deletes::Soft };
        let (declared, paths) = declared(&schema, &rule, added)?;
        let builder = builder(declared.clone(), &rule, &paths, limits);
        let name = StreamName::from(schema.stream.as_str());
        let validation = if rule.validates { Some(Validation::new(&schema)?) } else { None };
        Ok(Self {
            name,
            rule,
            schema,
            declared,
            paths,
            added,
            announced: None,
            followed: false,
            opened: false,
            due: false,
            told: HashSet::new(),
            validation,
            invalid: None,
            builder,
            mark: 0,
            held: 0,
            unweighed: 0,
            reading: Duration::ZERO,
        })
    }

    /// What a further SCHEMA gives its table; `None` when it changes nothing there.
    pub(crate) fn redeclared(
        &mut self,
        schema: &SchemaMessage,
    ) -> Result<Option<TableSchema>, SchemaRefused> {
        if self.validation.as_ref().is_some_and(|validation| !validation.is_of(schema)) {
            self.validation = Some(Validation::new(schema)?);
        }
        let (table, paths) = declared(schema, &self.rule, self.added)?;
        Ok((table != self.declared || paths != self.paths).then_some(table))
    }

    /// Takes a further SCHEMA. The builder must be empty.
    pub(crate) fn declare(&mut self, schema: Box<SchemaMessage>, table: TableSchema, limits: &ValueLimits) {
        let keys = self.rule.key_properties.as_ref().unwrap_or(&schema.key_properties);
        self.paths = self.rule.shaped(&schema.schema, keys).paths;
        self.schema = schema;
        self.declared = table.clone();
        self.widen(table, limits);
    }

    /// Walks one record into the builder, and holds it against its SCHEMA where that is asked for.
    pub(crate) fn walk(&mut self, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        let Some(validation) = &self.validation else { return self.builder.walk(record) };
        let raw = record.value()?;
        self.invalid = validation.problem(raw.get());
        self.builder.walk(&mut JsonReader::new(raw.get()))
    }

    /// What the walked record breaks, once.
    pub(crate) fn invalid(&mut self) -> Option<RecordError> {
        self.invalid.take()
    }

    /// From now on the table has this form. The builder must be empty.
    pub(crate) fn widen(&mut self, table: TableSchema, limits: &ValueLimits) {
        self.builder = builder(table, &self.rule, &self.paths, limits);
    }

    /// Whether the table lacks the version column, which a record with a version needs.
    pub(crate) fn lacks_version(&self) -> bool {
        !self.added.versioned
    }

    /// From now on records carry versions. The builder must be empty.
    pub(crate) fn add_version(&mut self, limits: &ValueLimits) -> Result<(), SchemaRefused> {
        self.added.versioned = true;
        self.add(limits)
    }

    /// Whether a record says when it was deleted and the table has no column for it, although deletes are heeded.
    #[inline]
    pub(crate) fn lacks_deleted_at(&self) -> bool {
        self.builder.lacks_deleted_at() && !self.added.deleted_at && self.heeds_deletes()
    }

    #[cold]
    fn heeds_deletes(&self) -> bool {
        match self.rule.deletes {
            Deletes::Hard | Deletes::Soft => true,
            Deletes::Ignore => false,
            Deletes::Unsaid => self.merges() && (self.rule.columns)(&[DELETED_AT]),
        }
    }

    fn merges(&self) -> bool {
        self.rule.load_method.merges() && self.declared.is_keyed()
    }

    /// From now on the table has `_sdc_deleted_at`. The builder must be empty.
    pub(crate) fn add_deleted_at(&mut self, limits: &ValueLimits) -> Result<(), SchemaRefused> {
        self.added.deleted_at = true;
        self.add(limits)
    }

    fn add(&mut self, limits: &ValueLimits) -> Result<(), SchemaRefused> {
        let (table, _) = declared(&self.schema, &self.rule, self.added)?;
        self.declared = table.clone();
        // What values have widened stays wide.
        let mut wide = table;
        for column in &mut wide.columns {
            if let Some(current) = self.builder.schema().column(&column.name) {
                column.clone_from(current);
            }
        }
        self.widen(wide, limits);
        Ok(())
    }

    /// Whether `ACTIVATE_VERSION` means anything for it.
    pub(crate) fn obeys_versions(&self) -> bool {
        self.rule.activate_version
    }

    /// Refuses a table without key where one is required.
    pub(crate) fn refuse_keyless(&self, line: u64, table: &TableSchema) -> Result<(), DecodeError> {
        if self.rule.key_required && !table.is_keyed() {
            return Err(DecodeError::KeyRequired { line, stream: self.name.to_string() });
        }
        Ok(())
    }

    /// Properties that came and that the SCHEMA does not have, each told once.
    pub(crate) fn undeclared(&mut self) -> Vec<String> {
        let mut names = self.builder.unknown_properties();
        names.retain(|name| (self.rule.columns)(&[name]) && self.told.insert(name.clone()));
        names
    }

    /// The table as the target shall have it now.
    pub(crate) fn table(&self) -> Table {
        let name: TableName = self.rule.table.clone().unwrap_or_else(|| table_name(self.name.as_str()));
        Table {
            load_method: self.rule.load_method,
            deletes: self.rule.deletes,
            shared: self.rule.shared,
            grant_select: self.rule.grant_select.clone(),
            ..Table::new(TableSchema::clone(self.builder.schema()), name)
        }
    }
}

fn builder(table: TableSchema, rule: &StreamRule, paths: &Paths, limits: &ValueLimits) -> BatchBuilder {
    let merges = rule.load_method.merges() && table.is_keyed();
    let mut builder = BatchBuilder::new(Arc::new(table), rule.values.over(limits));
    if !paths.is_empty() {
        builder = builder.flattened(paths.clone());
    }
    if !merges && matches!(rule.deletes, Deletes::Hard | Deletes::Soft) {
        builder = builder.refusing_deletes();
    }
    if rule.excludes_nested { builder.filtered(Arc::clone(&rule.columns)) } else { builder }
}

/// The paths of the columns that are nested in the tap's records, by their names.
type Paths = BTreeMap<String, Vec<String>>;

fn loads(rule: &StreamRule, path: &[String]) -> bool {
    (rule.columns)(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

fn declared(
    schema: &SchemaMessage,
    rule: &StreamRule,
    added: Added,
) -> Result<(TableSchema, Paths), SchemaRefused> {
    let keys = rule.key_properties.as_ref().unwrap_or(&schema.key_properties);
    let Flattened { schema: shaped, paths } = rule.shaped(&schema.schema, keys);
    let include = |column: &str| match paths.get(column) {
        Some(path) => loads(rule, path),
        None => (rule.columns)(&[column]),
    };
    let Added { versioned, deleted_at } = added;
    let options = TableOptions { metadata: rule.metadata_columns, versioned, deleted_at, include: &include };
    let table = table_schema(&StreamName::from(schema.stream.as_str()), &shaped, keys, &options)?;
    Ok((table, paths))
}
