//! STATEs as other tools keep them: which value in a file is the tap's own.

use singer::Json;

/// The member that marks a document of `state export`.
pub(super) const OWN: &str = "tapster_state";

/// A STATE taken out of its wrapping.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unwrapped {
    /// Its JSON text: byte for byte as it stood, unless two parts were put together.
    pub(super) state: String,
    /// The tap that wrote it, where the file says so.
    pub(super) tap: Option<String>,
}

/// Finds the STATE in a document of `state export`, in what `meltano state get` and `meltano state export` print, in
/// a file of Meltano's state backend, or takes the text as the bare STATE that it is. `id` names one of several.
///
/// # Errors
/// What is wrong with the text, for people.
pub(super) fn unwrapped(text: &str, id: Option<&str>) -> Result<Unwrapped, String> {
    let document = Json::parse(text.trim()).map_err(|error| format!("it is no JSON: {error}"))?;
    let Some(members) = document.as_object() else {
        return Err(format!("it is JSON, but {} and no object", document.kind()));
    };
    if members.contains_key(OWN) {
        let tap = document.get("tap").and_then(Json::as_str).map(str::to_owned);
        return Ok(Unwrapped { state: inside(text, "state")?, tap });
    }
    let bare = |state| Ok(Unwrapped { state, tap: None });
    if members.len() == 1 && members.contains_key("singer_state") {
        return bare(inside(text, "singer_state")?);
    }
    if is_halves(&document) {
        return bare(whole(&document)?);
    }
    let several =
        !members.is_empty() && !members.contains_key("bookmarks") && members.values().all(is_halves);
    if !several {
        return bare(text.trim().to_owned());
    }
    let found = match id {
        Some(id) => members.get(id),
        None => members.values().next().filter(|_| members.len() == 1),
    };
    bare(whole(found.ok_or_else(|| choose(id, members.keys()))?)?)
}

fn choose<'a>(id: Option<&str>, known: impl Iterator<Item = &'a String>) -> String {
    let known = known.map(String::as_str).collect::<Vec<_>>().join(", ");
    match id {
        Some(id) => format!("it has no state id `{id}`; it has: {known}"),
        None => format!("it has several state ids, and --state-id says which: {known}"),
    }
}

/// A member of an object, byte for byte.
fn inside(text: &str, name: &str) -> Result<String, String> {
    let members: std::collections::HashMap<String, &serde_json::value::RawValue> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    match members.get(name).map(|raw| raw.get()) {
        None | Some("null") => Err(format!("its `{name}` is empty")),
        Some(inside) => Ok(inside.to_owned()),
    }
}

/// Meltano keeps what whole runs left and, over it, what partial ones did.
const HALVES: [&str; 2] = ["completed", "partial"];

fn is_halves(document: &Json) -> bool {
    let members = document.as_object();
    members.is_some_and(|it| !it.is_empty() && it.keys().all(|name| HALVES.contains(&name.as_str())))
}

/// What Meltano would hand to the tap: the completed STATE with the partial one laid over it.
fn whole(document: &Json) -> Result<String, String> {
    let [completed, partial] =
        HALVES.map(|half| document.get(half).and_then(|half| half.get("singer_state")));
    let state = match (completed, partial) {
        (Some(completed), Some(partial)) => overlaid(completed.clone(), partial),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => {
            return Err("neither its `completed` nor its `partial` has a `singer_state`".to_owned());
        }
    };
    Ok(state.to_string())
}

/// Objects are merged at any depth; everything else is replaced.
fn overlaid(under: Json, over: &Json) -> Json {
    let (Json::Object(mut members), Json::Object(changes)) = (under, over) else { return over.clone() };
    for (name, change) in changes {
        let merged = match members.get(name) {
            Some(before) => overlaid(before.clone(), change),
            None => change.clone(),
        };
        members.insert(name.clone(), merged);
    }
    Json::Object(members)
}

#[cfg(test)]
mod tests {
    use super::unwrapped;

    fn state(text: &str, id: Option<&str>) -> String {
        unwrapped(text, id).unwrap().state
    }

    #[test]
    fn a_bare_state_is_taken_as_it_is() {
        for text in [
            r#"{"bookmarks": {"a": {"v": 12345678901234567890.10}}}"#,
            r#"{"bookmarks":{"completed":{"partial":1}}}"#,
            r#"{"singer_state": 1, "stream": 4}"#,
            "{}",
        ] {
            assert_eq!(state(text, None), text);
        }
    }

    #[test]
    fn a_wrapped_state_keeps_its_bytes() {
        let wrapped = |name: &str| format!(r#"{{"{name}":  {{"bookmarks": {{"a": 1.10}}}} }}"#);
        assert_eq!(state(&wrapped("singer_state"), None), r#"{"bookmarks": {"a": 1.10}}"#);
        let own = r#"{"tapster_state": 1, "tap": "tap-csv", "state": {"n": 1e5}}"#;
        let found = unwrapped(own, None).unwrap();
        assert_eq!((found.state.as_str(), found.tap.as_deref()), (r#"{"n": 1e5}"#, Some("tap-csv")));
    }

    #[test]
    fn a_partial_state_of_meltano_lies_over_the_completed_one() {
        let file = r#"{
            "completed": {"singer_state": {"bookmarks": {"a": {"at": 1, "k": [1]}, "b": {"at": 1}}}},
            "partial": {"singer_state": {"bookmarks": {"a": {"at": 2.50, "k": [2]}}}}}"#;
        let merged = r#"{"bookmarks":{"a":{"at":2.50,"k":[2]},"b":{"at":1}}}"#;
        assert_eq!(state(file, None), merged);
        assert_eq!(state(&format!(r#"{{"dev:tap-to-target": {file}}}"#), None), merged);
        assert_eq!(state(r#"{"completed":{"singer_state":{"a":1}},"partial":{}}"#, None), r#"{"a":1}"#);
    }

    #[test]
    fn one_of_several_is_chosen_by_its_id() {
        let one = |n: u8| format!(r#"{{"completed":{{"singer_state":{{"n":{n}}}}}}}"#);
        let file = format!(r#"{{"dev:a-to-x":{},"prod:a-to-x":{}}}"#, one(1), one(2));
        assert_eq!(state(&file, Some("prod:a-to-x")), r#"{"n":2}"#);
        let told = |id| unwrapped(&file, id).unwrap_err();
        assert!(told(None).contains("dev:a-to-x, prod:a-to-x"));
        assert!(told(Some("qa")).contains("no state id `qa`"));
    }

    #[test]
    fn what_holds_no_state_says_why() {
        for (text, why) in [
            ("[1]", "an array"),
            ("{", "no JSON"),
            (r#"{"singer_state":null}"#, "`singer_state` is empty"),
            (r#"{"completed":{},"partial":{}}"#, "neither"),
        ] {
            let told = unwrapped(text, None).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
