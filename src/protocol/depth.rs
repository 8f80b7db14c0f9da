//! How deeply JSON is nested, found without parsing it. A parser that calls itself for each level must not meet
//! JSON without end.

/// Most levels of an envelope; ours have three.
pub const JSON_DEPTH_MAX: usize = 32;

/// True where lists and objects are nested deeper than [`JSON_DEPTH_MAX`]. It only looks at brackets outside of
/// strings, so it is right for invalid JSON too.
pub fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_passes_and_one_level_more_does_not() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_too_deep(&nested(JSON_DEPTH_MAX)));
        assert!(is_too_deep(&nested(JSON_DEPTH_MAX + 1)));
        assert!(is_too_deep(&"{\"a\":".repeat(JSON_DEPTH_MAX + 1)));
    }

    #[test]
    fn brackets_in_texts_and_brackets_side_by_side_are_no_depth() {
        assert!(!is_too_deep(&format!(r#"{{"a":"{}"}}"#, "[".repeat(500))));
        assert!(!is_too_deep(&format!(r#"{{"a":"\"{}"}}"#, "{".repeat(500))));
        assert!(!is_too_deep(&format!("[{}]", "[],".repeat(500))));
        assert!(is_too_deep(&format!(r#"["\\",{}"#, "[".repeat(500))));
    }
}
