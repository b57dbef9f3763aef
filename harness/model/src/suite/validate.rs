//! Holds a tree against the JSON schema of suites and collects every complaint.
//!
//! Not a general validator: it knows the constructs that our own types generate, and a test makes sure
//! that there are no others. In return it can quote the file and offer the word that was meant.

use std::collections::BTreeMap;

use serde_json::Value;

use super::complaint::nearest;
use super::read::Reader;
use super::tree::{Content, Node};

impl Reader<'_> {
    /// Holds a node against a part of the schema. Knows what our own types generate, and no more.
    pub(super) fn validate(&mut self, node: &Node, schema: &Value, root: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            let definition = reference
                .strip_prefix("#")
                .and_then(|pointer| root.pointer(pointer));
            return self.validate(node, definition.unwrap_or(&Value::Null), root);
        }
        if let Some(alternatives) = schema["anyOf"].as_array() {
            // `Option<T>`: T or null; null is refused, since leaving the key out says the same.
            if let Some(inner) = alternatives
                .iter()
                .find(|alternative| alternative["type"] != "null")
            {
                return self.validate(node, inner, root);
            }
        }
        if let Some(alternatives) = schema["oneOf"].as_array() {
            return self.one_of(node, alternatives, root);
        }
        let kinds = schema["type"].as_array().map(Vec::as_slice);
        let optional = kinds.unwrap_or_default().iter().filter_map(Value::as_str);
        let kind = schema["type"]
            .as_str()
            .or_else(|| optional.into_iter().find(|kind| *kind != "null"));
        match kind {
            Some("object") => self.object(node, schema, root),
            Some("array") => self.array(node, schema, root),
            Some("string") => self.string(node, schema),
            Some("integer") => self.integer(node, schema),
            Some(_) | None => {}
        }
    }

    fn one_of(&mut self, node: &Node, alternatives: &[Value], root: &Value) {
        // An enum of plain words, each with its own description.
        let words: Vec<&str> = alternatives
            .iter()
            .filter_map(|alternative| alternative["const"].as_str())
            .collect();
        if words.len() == alternatives.len() {
            return self.word(node, &words);
        }
        // An externally tagged enum: each alternative is an object with one required property.
        let tags: BTreeMap<&str, &Value> = alternatives
            .iter()
            .filter_map(|alternative| alternative["properties"].as_object()?.iter().next())
            .map(|(tag, schema)| (tag.as_str(), schema))
            .collect();
        let allowed = tags.keys().copied().collect::<Vec<_>>();
        let Content::Mapping(pairs) = &node.content else {
            return self.wrong(node, &format!("a mapping with one of {}", list(&allowed)));
        };
        for (key, value) in pairs {
            match key.as_str().and_then(|key| tags.get(key)) {
                Some(schema) => self.validate(value, schema, root),
                None => self.unknown(key, &allowed),
            }
        }
        if pairs.len() != 1 {
            self.complain(
                Some(node),
                format!(
                    "expected exactly one of {}, found {}",
                    list(&allowed),
                    pairs.len()
                ),
                None,
            );
        }
    }

    fn object(&mut self, node: &Node, schema: &Value, root: &Value) {
        let Content::Mapping(pairs) = &node.content else {
            return self.wrong(node, "a mapping");
        };
        let Some(properties) = schema["properties"].as_object() else {
            return self.map(pairs, &schema["additionalProperties"], root);
        };
        let allowed: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, value) in pairs {
            let Some(name) = key.as_str() else {
                self.unknown(key, &allowed);
                continue;
            };
            if let Some(first) = seen.insert(name, key.line) {
                self.complain(
                    Some(key),
                    format!("`{name}` is given twice, first at line {first}"),
                    Some("take one of them out".to_owned()),
                );
            }
            match properties.get(name) {
                Some(schema) => self.validate(value, schema, root),
                None => self.unknown(key, &allowed),
            }
        }
        let required = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for name in required.filter(|name| !seen.contains_key(name)) {
            self.complain(Some(node), format!("`{name}` is missing"), None);
        }
    }

    /// A mapping whose keys are free, such as the names of variables.
    fn map(&mut self, pairs: &[(Node, Node)], schema: &Value, root: &Value) {
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, value) in pairs {
            let Some(name) = key.as_str() else {
                self.wrong(key, "a word");
                continue;
            };
            if let Some(first) = seen.insert(name, key.line) {
                self.complain(
                    Some(key),
                    format!("`{name}` is given twice, first at line {first}"),
                    Some("take one of them out".to_owned()),
                );
            }
            self.validate(value, schema, root);
        }
    }

    fn array(&mut self, node: &Node, schema: &Value, root: &Value) {
        let Content::Sequence(items) = &node.content else {
            return self.wrong(node, "a list");
        };
        let count = items.len() as u64;
        if schema["minItems"]
            .as_u64()
            .is_some_and(|least| count < least)
        {
            self.complain(Some(node), "the list is empty".to_owned(), None);
        }
        if let Some(most) = schema["maxItems"].as_u64().filter(|most| count > *most) {
            self.complain(
                Some(node),
                format!("the list has {count} items, at most {most} are allowed"),
                None,
            );
        }
        for item in items {
            self.validate(item, &schema["items"], root);
        }
    }

    fn string(&mut self, node: &Node, schema: &Value) {
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            return self.word(node, &words);
        }
        let Some(text) = node.as_str() else {
            // `12.10` without quotes is the number 12.1: the commonest mistake of all.
            let quoted = matches!(
                node.content,
                Content::Scalar(Value::Number(_) | Value::Bool(_))
            );
            let hint = quoted.then(|| format!("write it in quotes: \"{}\"", self.source(node)));
            let wanted = schema["description"]
                .as_str()
                .filter(|_| schema["pattern"].is_string())
                .unwrap_or("text");
            let message = format!(
                "expected {}, found {}",
                first_sentence(wanted),
                self.found(node)
            );
            return self.complain(Some(node), message, hint);
        };
        let length = text.chars().count() as u64;
        if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
            self.complain(
                Some(node),
                format!("`{text}` is too short: at least {least} characters"),
                None,
            );
        }
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            self.complain(
                Some(node),
                format!("the text has {length} characters, at most {most} are allowed"),
                None,
            );
        }
        if let Some(pattern) = schema["pattern"]
            .as_str()
            .filter(|pattern| !matches(pattern, text))
        {
            let wanted = schema["description"].as_str().map_or_else(
                || format!("text that matches {pattern}"),
                |text| first_sentence(text).to_owned(),
            );
            self.complain(
                Some(node),
                format!("`{text}` is not {}", lowercase_first(&wanted)),
                None,
            );
        }
    }

    fn integer(&mut self, node: &Node, schema: &Value) {
        let Content::Scalar(Value::Number(number)) = &node.content else {
            return self.wrong(node, "a whole number");
        };
        let Some(value) = number.as_u64() else {
            return self.wrong(node, "a whole number that is not negative");
        };
        let bound = |name: &str| {
            schema[name].as_u64().or_else(|| {
                schema[name]
                    .as_f64()
                    .map(|bound| bound.to_string().parse().unwrap_or(u64::MAX))
            })
        };
        let (least, most) = (
            bound("minimum").unwrap_or(0),
            bound("maximum").unwrap_or(u64::MAX),
        );
        if !(least..=most).contains(&value) {
            self.complain(
                Some(node),
                format!("`{value}` is out of range: {least} to {most}"),
                None,
            );
        }
    }

    fn word(&mut self, node: &Node, words: &[&str]) {
        match node.as_str() {
            Some(word) if words.contains(&word) => {}
            Some(word) => {
                let hint = nearest(word, words.iter().copied())
                    .map(|near| format!("did you mean `{near}`?"));
                self.complain(
                    Some(node),
                    format!("`{word}` is not one of {}", list(words)),
                    hint,
                );
            }
            None => self.wrong(node, &format!("one of {}", list(words))),
        }
    }

    fn unknown(&mut self, key: &Node, allowed: &[&str]) {
        let word = self.source(key);
        let hint =
            nearest(&word, allowed.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        self.complain(
            Some(key),
            format!("unknown key `{word}`, expected one of {}", list(allowed)),
            hint,
        );
    }

    fn wrong(&mut self, node: &Node, wanted: &str) {
        self.complain(
            Some(node),
            format!("expected {wanted}, found {}", self.found(node)),
            None,
        );
    }

    fn found(&self, node: &Node) -> String {
        match &node.content {
            Content::Mapping(_) => "a mapping".to_owned(),
            Content::Sequence(_) => "a list".to_owned(),
            Content::Scalar(Value::Null) => "nothing".to_owned(),
            Content::Scalar(Value::Number(_)) => format!("the number `{}`", self.source(node)),
            Content::Scalar(Value::Bool(_)) => format!("the truth value `{}`", self.source(node)),
            Content::Scalar(Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                format!("`{}`", self.source(node))
            }
        }
    }

    /// The word as it stands in the file, so that `12.10` is not quoted back as `12.1`.
    fn source(&self, node: &Node) -> String {
        let written = node
            .bytes
            .and_then(|(start, end)| self.text.get(start..end))
            .map(str::trim);
        let text = written
            .filter(|text| !text.is_empty() && !text.contains('\n'))
            .map(|text| text.trim_matches(['"', '\'']));
        let text = text.map_or_else(
            || node.to_value().to_string().trim_matches('"').to_owned(),
            str::to_owned,
        );
        if text.chars().count() > 60 {
            text.chars().take(57).chain("...".chars()).collect()
        } else {
            text
        }
    }
}

fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn first_sentence(text: &str) -> &str {
    text.split_once('\n')
        .map_or(text, |(first, _)| first)
        .trim_end_matches('.')
}

fn lowercase_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

/// Our schema has a handful of patterns; each is a rule of a type, so the type decides.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    use crate::version::{ComputeCapability, DriverVersion, Target};
    match pattern {
        r"^\d+\.\d+$" => text.parse::<ComputeCapability>().is_ok(),
        r"^\d+(\.\d+){1,3}$" => text.parse::<DriverVersion>().is_ok(),
        r"^(sm|compute)_\d+[af]?$" => text.parse::<Target>().is_ok(),
        r"^[a-z0-9]+(-[a-z0-9]+)*$" => {
            let word = |part: &str| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            text.split('-').all(word)
        }
        unknown => unreachable!("a test walks every pattern of the schema, `{unknown}` is new"),
    }
}
