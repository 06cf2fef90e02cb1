use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{Entry, Map, Node, Value, YamlFault, merge_key::merge_into, quotes::unquoted, scalar::classify};
use crate::place::{Place, SourceFile};
use crate::problem::{ConfigError, Problem};

/// What a file may cost. No file of ours comes near; see "YAML bombs" in the security notes of any parser.
const MOST_BYTES: usize = 1 << 20;
const MOST_DEPTH: usize = 32;
const MOST_ALIASED_NODES: usize = 1_000;

/// Reads a file; `name` is what people are told.
///
/// # Errors
/// Everything that is wrong with the text, up to the first that stops the reader.
pub(crate) fn read_file(path: &Path, name: &str) -> Result<Node, ConfigError> {
    let file = name.to_owned();
    let bytes = fs::read(path).map_err(|error| {
        Problem::nowhere(YamlFault::Unreadable { file: file.clone(), reason: error.to_string() })
    })?;
    if bytes.len() > MOST_BYTES {
        return Err(Problem::nowhere(YamlFault::TooLarge { file, bytes: bytes.len() }).into());
    }
    match String::from_utf8(bytes) {
        Ok(text) => read(name, text),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(at).copied().unwrap_or_default();
            Err(Problem::nowhere(YamlFault::NotUtf8 { file, at: at + 1, byte }).into())
        }
    }
}

/// Reads a text.
///
/// # Errors
/// As [`read_file`].
pub(crate) fn read(name: &str, text: String) -> Result<Node, ConfigError> {
    let file = Arc::new(SourceFile { name: name.to_owned(), text });
    let mut reader = Reader {
        file: &file,
        stack: Vec::new(),
        anchors: HashMap::new(),
        aliased: 0,
        problems: Vec::new(),
        root: None,
    };
    if let Err(problem) = reader.read_all() {
        reader.problems.push(problem);
    }
    let root = reader.root;
    ConfigError::unless_none(reader.problems)?;
    let start = Place { file: Arc::clone(&file), line: 1, column: 1, width: 1 };
    root.ok_or_else(|| Problem::new(YamlFault::Empty, &start).into())
}

/// A list or map that is still open.
struct Frame {
    anchor: usize,
    place: Place,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { map: Map, key: Option<Key>, merged: Vec<Node> },
}

struct Key {
    text: String,
    place: Place,
    is_merge: bool,
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    problems: Vec<Problem>,
    root: Option<Node>,
}

impl<'a> Reader<'a> {
    /// Stops at the first problem that makes the rest unreadable; others are collected.
    fn read_all(&mut self) -> Result<(), Problem> {
        let mut parser: Parser<'a, StrInput<'a>> = Parser::new_from_str(&self.file.text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'a>, span: Span) -> Result<(), Problem> {
        let place = self.place(span.start, span.end);
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Problem::new(YamlFault::SecondDocument, &place))
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.as_deref(), &place);
                self.scalar(&text, style, anchor, place)
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), &place);
                self.open(anchor, place, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.as_deref(), &place);
                self.open(anchor, place, Content::Map { map: Map::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close();
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, &place),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, place: Place) -> Result<(), Problem> {
        let is_plain = style == ScalarStyle::Plain;
        if let Some(Frame { content: Content::Map { key: key @ None, .. }, .. }) = self.stack.last_mut() {
            if text.is_empty() && is_plain {
                return Err(Problem::new(YamlFault::KeyIsNoWord("nothing"), &place));
            }
            *key = Some(Key { text: text.to_owned(), place, is_merge: is_plain && text == "<<" });
            return Ok(());
        }
        let value = if is_plain { classify(text) } else { Ok(Value::Text(text.to_owned())) };
        let value = value.unwrap_or_else(|fault| {
            self.problems.push(Problem::new(fault, &place));
            Value::Null
        });
        self.put(anchor, Node { value, place });
        Ok(())
    }

    fn open(&mut self, anchor: usize, place: Place, content: Content) -> Result<(), Problem> {
        if let Some(Frame { content: Content::Map { key: None, .. }, .. }) = self.stack.last() {
            return Err(match unquoted(self.line(place.line)) {
                Some((column, width, fault)) => Problem::new(fault, &Place { column, width, ..place }),
                None => Problem::new(YamlFault::KeyIsNoWord("a list or a map"), &place),
            });
        }
        if self.stack.len() >= MOST_DEPTH {
            return Err(Problem::new(YamlFault::TooDeep, &place));
        }
        self.stack.push(Frame { anchor, place, content });
        Ok(())
    }

    fn close(&mut self) {
        let Some(Frame { anchor, place, content }) = self.stack.pop() else { return };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map { mut map, merged, .. } => {
                merge_into(&mut map, merged, &mut self.problems);
                Value::Map(map)
            }
        };
        self.put(anchor, Node { value, place });
    }

    fn alias(&mut self, anchor: usize, place: &Place) -> Result<(), Problem> {
        if let Some(Frame { content: Content::Map { key: None, .. }, .. }) = self.stack.last() {
            return Err(Problem::new(YamlFault::KeyIsNoWord("an alias"), place));
        }
        // An anchor that is still open is an alias of itself.
        let Some(node) = self.anchors.get(&anchor) else {
            let name = self.word_at(place).trim_start_matches('*').to_owned();
            return Err(Problem::new(YamlFault::UnknownAnchor(name), place));
        };
        self.aliased += node.count(MOST_ALIASED_NODES);
        if self.aliased > MOST_ALIASED_NODES {
            return Err(Problem::new(YamlFault::AliasExpansion, place));
        }
        if self.stack.len() + node.height() > MOST_DEPTH + 1 {
            return Err(Problem::new(YamlFault::TooDeep, place));
        }
        let node = node.clone();
        self.put(0, node);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, anchor: usize, node: Node) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { map, key, merged }) => {
                let Some(key) = key.take() else { return };
                if key.is_merge {
                    merged.push(node);
                } else if let Some(first) = map.get(&key.text) {
                    let problem = Problem::new(YamlFault::DuplicateKey(key.text), &key.place);
                    self.problems.push(problem.and("first here", &first.key));
                } else {
                    map.insert(key.text, Entry { key: key.place, node });
                }
            }
        }
    }

    fn tag(&mut self, tag: Option<&Tag>, place: &Place) {
        if let Some(tag) = tag {
            self.problems.push(Problem::new(YamlFault::Tag(tag.to_string()), place));
        }
    }

    /// The parser's own error, or the forgotten quotes that led to it: on its line or just above.
    fn syntax(&self, error: &ScanError) -> Problem {
        let place = self.place(*error.marker(), *error.marker());
        for line in (place.line.saturating_sub(1)..=place.line).rev().filter(|line| *line > 0) {
            if let Some((column, width, fault)) = unquoted(self.line(line)) {
                return Problem::new(fault, &Place { line, column, width, ..place });
            }
        }
        if error.info().contains("recursion limit") {
            return Problem::new(YamlFault::TooDeep, &place);
        }
        if error.info().contains("unknown anchor") {
            let name = self.word_at(&place).trim_start_matches('*').to_owned();
            return Problem::new(YamlFault::UnknownAnchor(name), &place);
        }
        Problem::new(YamlFault::Syntax(error.info().to_owned()), &place)
    }

    fn place(&self, start: Marker, end: Marker) -> Place {
        let width = if end.line() == start.line() { end.col().saturating_sub(start.col()) } else { 1 };
        Place {
            file: Arc::clone(self.file),
            line: start.line().max(1),
            column: start.col() + 1,
            width: width.max(1),
        }
    }

    fn line(&self, line: usize) -> &'a str {
        self.file.text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
    }

    fn word_at(&self, place: &Place) -> String {
        let rest = self.line(place.line).chars().skip(place.column - 1);
        rest.take_while(|character| !character.is_whitespace() && !",[]{}".contains(*character)).collect()
    }
}
