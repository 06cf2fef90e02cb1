use proptest::prelude::*;

use super::Pattern;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

/// The language in the most naive way: the braces in the text are multiplied out first, then one recursion.
fn oracle(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let Some(open) = unescaped(&pattern, '{', 0) else {
        return naive(&pattern, &name.chars().collect::<Vec<_>>());
    };
    let close = unescaped(&pattern, '}', open).expect("the generator closes braces");
    let (mut starts, mut from) = (vec![open + 1], open);
    while let Some(comma) = unescaped(&pattern, ',', from + 1).filter(|comma| *comma < close) {
        starts.push(comma + 1);
        from = comma;
    }
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([close]);
    starts.iter().zip(ends).any(|(start, end)| {
        let parts = [&pattern[..open], &pattern[*start..end], &pattern[close + 1..]];
        oracle(&parts.concat().into_iter().collect::<String>(), name)
    })
}

fn unescaped(pattern: &[char], wanted: char, from: usize) -> Option<usize> {
    let mut at = from;
    while at < pattern.len() {
        match pattern[at] {
            '\\' => at += 1,
            found if found == wanted => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn naive(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|skipped| naive(rest, &name[skipped..])),
        ['?', rest @ ..] => !name.is_empty() && naive(rest, &name[1..]),
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            name.first() == Some(literal) && naive(rest, &name[1..])
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab.-]".prop_map(String::from),
        1 => Just("*".to_owned()),
        1 => Just("?".to_owned()),
        1 => "[*?{},\\\\a]".prop_map(|escaped| format!("\\{escaped}")),
    ]
}

fn any_pattern() -> impl Strategy<Value = String> {
    let flat = || prop::collection::vec(piece(), 0..4).prop_map(|pieces| pieces.concat());
    let braces = prop::collection::vec(flat(), 1..4).prop_map(|items| format!("{{{}}}", items.join(",")));
    prop::collection::vec(prop_oneof![3 => piece(), 1 => braces], 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn matching_agrees_with_the_naive_oracle(text in any_pattern(), name in "[ab.*?{},\\\\-]{0,8}") {
        prop_assert_eq!(pattern(&text).matches(&name), oracle(&text, &name), "{} {}", text, name);
    }

    #[test]
    fn a_name_with_all_escaped_matches_itself_alone(name in "[ab.*?{},\\\\-]{1,8}", other in "[ab.*?{},\\\\-]{0,8}") {
        let escaped: String = name.chars().flat_map(|character| ['\\', character]).collect();
        let pattern = pattern(&escaped);
        prop_assert_eq!(pattern.matches(&other), name == other);
        prop_assert!(pattern.matches(&name) && !pattern.has_wildcard());
        prop_assert_eq!(pattern.names().collect::<Vec<_>>(), vec![name]);
    }
}

#[test]
fn a_pattern_is_the_whole_name() {
    let cases = [
        ("shop-{orders,order_*,payments}", "shop-order_items", true),
        ("shop-{orders,order_*,payments}", "shop-orders_old", false),
        ("*", "a-b.c", true),
        ("Shop-*", "shop-orders", false),
        ("*-{audit_log,tmp_*}", "crm-eu-tmp_1", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("{a,}b", "b", true),
        ("{a,b{c,d}}", "bd", true),
        ("x,y}", "x,y}", true),
        ("ö*", "öß", true),
    ];
    for (text, name, expected) in cases {
        assert_eq!(pattern(text).matches(name), expected, "{text} {name}");
    }
}

#[test]
fn every_alternative_of_a_brace_counts_as_named() {
    let pattern = pattern("billing-{currencies,vat_*,a\\*}");
    assert_eq!(pattern.names().collect::<Vec<_>>(), ["billing-currencies", "billing-a*"]);
    assert!(pattern.has_wildcard());
}

#[test]
fn a_dot_goes_into_an_object_and_wildcards_stay_on_their_level() {
    assert!(pattern("a.b").matches_path(&["a", "b"]) && !pattern("a.b").matches_path(&["a.b"]));
    assert!(pattern("a\\.b").matches_path(&["a.b"]) && !pattern("a\\.b").matches_path(&["a", "b"]));
    assert!(pattern("*").matches_path(&["a.b"]) && !pattern("*").matches_path(&["a", "b"]));
    assert!(pattern("{a,c}.*").matches_path(&["c", "x"]));
    assert_eq!(pattern("a.{b,*,c\\.d}").paths().collect::<Vec<_>>(), [["a", "b"], ["a", "c.d"]]);
}

#[test]
fn what_is_no_pattern_is_refused() {
    for text in ["", "{a,b", "a\\", "{a,{b}", "{1,2,3,4,5,6,7,8,9,0}".repeat(4).as_str()] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn many_stars_do_not_explode() {
    let text = format!("{}b", "*a".repeat(500));
    assert!(!pattern(&text).matches(&"a".repeat(5_000)));
}
