//! Parts of a column that are left out: a tap may send what its catalog deselects.

use singer::{JsonReader, ReadError};

use super::{Misfit, json::MAX_DEPTH};

/// Which properties are loaded, by their paths from the top of the record.
type Loads<'a> = &'a dyn Fn(&[&str]) -> bool;

/// Adds the JSON text of an object or array to `out`, without the properties in it that are not loaded. The items of
/// an array have its path. `path` is the column's.
pub(crate) fn filter(raw: &str, path: &[&str], loads: Loads<'_>, out: &mut String) -> Result<(), Misfit> {
    write(&mut JsonReader::new(raw), path, (loads, MAX_DEPTH), out)
}

fn write(
    reader: &mut JsonReader<'_>,
    path: &[&str],
    (loads, depth): (Loads<'_>, usize),
    out: &mut String,
) -> Result<(), Misfit> {
    // The text has been read to its end before: only a name with half a surrogate pair is refused here.
    let unreadable = |_: ReadError| Misfit::Unreadable;
    let deeper = depth.checked_sub(1).ok_or(Misfit::Deep);
    let mut comma = "";
    if reader.open_object().map_err(unreadable)? {
        out.push('{');
        while let Some(name) = reader.next_name().map_err(unreadable)? {
            let inner = [path, &[&*name]].concat();
            if !loads(&inner) {
                reader.skip().map_err(unreadable)?;
                continue;
            }
            out.push_str(comma);
            out.push_str(&serde_json::to_string(&name).map_err(|_| Misfit::Unreadable)?);
            out.push(':');
            write(reader, &inner, (loads, deeper?), out)?;
            comma = ",";
        }
        out.push('}');
    } else if reader.open_array().map_err(unreadable)? {
        out.push('[');
        while reader.next_item().map_err(unreadable)? {
            out.push_str(comma);
            write(reader, path, (loads, deeper?), out)?;
            comma = ",";
        }
        out.push(']');
    } else {
        out.push_str(reader.value().map_err(unreadable)?.get());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Misfit, filter};

    fn filtered(raw: &str) -> Result<String, Misfit> {
        let hidden = [&["a", "secret"][..], &["a", "b", "x"], &["a", "b\"", "y"]];
        let mut out = String::new();
        filter(raw, &["a"], &|path| !hidden.contains(&path), &mut out).map(|()| out)
    }

    #[test]
    fn what_is_left_out_is_gone_at_every_place() {
        let cases = [
            (r#"{"secret":1}"#, "{}"),
            (r#"{ "secret" : {"k": [1]}, "b" : 1.10 }"#, r#"{"b":1.10}"#),
            (r#"{"b":{"x":1,"secret":2,"y":{}},"c":[]}"#, r#"{"b":{"secret":2,"y":{}},"c":[]}"#),
            (r#"[{"secret":1,"n":"é"},[{"secret":2}],null,{}]"#, r#"[{"n":"é"},[{}],null,{}]"#),
            (r#"{"b\u0022":{"y":1,"z":2},"sec\u0072et":3}"#, r#"{"b\"":{"z":2}}"#),
        ];
        for (raw, expected) in cases {
            assert_eq!(filtered(raw).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn what_is_too_deep_is_refused_and_not_descended_into() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(filtered(&deep), Err(Misfit::Deep));
    }
}
