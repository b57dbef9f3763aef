//! Reads a suite and says everything that is wrong with it at once.
//!
//! The file is parsed into a tree with places, the tree is held against the JSON schema, and only a tree
//! without complaints becomes a [`Suite`]. A deserialiser would stop at the first complaint.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use serde_yaml::options::DuplicateKeyPolicy;

use super::complaint::{Complaint, nearest};
use super::tree::{Content, Node};
use super::{Suite, json_schema};
use crate::catalogue::Catalogue;

/// Larger files are not suites. Callers check the size before they read.
pub const MAX_SUITE_BYTES: u64 = 1 << 20;

/// Reads a suite from the text of a file.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of the places.
pub fn read(file: &Path, text: &str, catalogue: &Catalogue) -> Result<Suite, Vec<Complaint>> {
    let mut reader = Reader {
        file,
        text,
        complaints: Vec::new(),
    };
    let suite = reader.suite(catalogue);
    let mut complaints = reader.complaints;
    match suite {
        Some(suite) if complaints.is_empty() => Ok(suite),
        Some(_) | None => {
            complaints.sort_by_key(|complaint| complaint.place);
            Err(complaints)
        }
    }
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    complaints: Vec<Complaint>,
}

impl Reader<'_> {
    fn suite(&mut self, catalogue: &Catalogue) -> Option<Suite> {
        if self.text.len() as u64 > MAX_SUITE_BYTES {
            self.complain(
                None,
                format!(
                    "the file has {} bytes, a suite at most {MAX_SUITE_BYTES}",
                    self.text.len()
                ),
                None,
            );
            return None;
        }
        let tree = self.tree()?;
        let schema = json_schema();
        self.validate(&tree, &schema, &schema);
        self.cases(&tree, catalogue);
        if !self.complaints.is_empty() {
            return None;
        }
        match serde_json::from_value(tree.to_value()) {
            Ok(suite) => Some(suite),
            Err(error) => {
                self.complain(Some(&tree), error.to_string(), None);
                None
            }
        }
    }

    fn tree(&mut self) -> Option<Node> {
        let options = serde_yaml::options! {
            // A suite is small and flat: far below the parser's own defaults, which take seconds to reach.
            budget: serde_yaml::budget! { max_depth: 32, max_nodes: 200_000, max_events: 400_000, max_aliases: 100 },
            alias_limits: alias_limits(),
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            strict_booleans: true,
            with_snippet: false,
        };
        match serde_yaml::from_str_with_options(self.text, options) {
            Ok(tree) => Some(tree),
            Err(error) => {
                let place = error
                    .location()
                    .map(|location| (location.line(), location.column()));
                let message = error.without_snippet().to_string();
                // The place stands before the message already.
                let message = message.lines().next().unwrap_or_default().to_owned();
                self.complaints.push(Complaint {
                    file: self.file.to_owned(),
                    place,
                    message,
                    hint: None,
                });
                None
            }
        }
    }

    fn complain(&mut self, node: Option<&Node>, message: String, hint: Option<String>) {
        let place = node.map(|node| (node.line, node.column));
        self.complaints.push(Complaint {
            file: self.file.to_owned(),
            place,
            message,
            hint,
        });
    }

    /// Holds a node against a part of the schema. Knows what our own types generate, and no more.
    fn validate(&mut self, node: &Node, schema: &Value, root: &Value) {
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
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .find(|kind| *kind != "null"),
            other => other.as_str(),
        };
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
            return;
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

    /// What no schema can say: names are unique, kernels exist, bounds are in order.
    fn cases(&mut self, tree: &Node, catalogue: &Catalogue) {
        let cases = child(tree, "cases").and_then(|cases| match &cases.content {
            Content::Sequence(items) => Some(items.as_slice()),
            Content::Scalar(_) | Content::Mapping(_) => None,
        });
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        for case in cases.unwrap_or_default() {
            if let Some(node) = child(case, "name")
                && let Some(name) = node.as_str()
                && let Some(first) = seen.insert(name, node.line)
            {
                self.complain(
                    Some(node),
                    format!("two cases are named `{name}`, the first at line {first}"),
                    Some("rename one of them".to_owned()),
                );
            }
            if let Some(node) = child(case, "check")
                .and_then(|check| child(check, "kernel"))
                .and_then(|kernel| child(kernel, "name"))
            {
                self.kernel(node, catalogue);
            }
            for holder in [child(case, "requires"), child(case, "expected-failure")] {
                self.bounds(holder);
            }
        }
        self.bounds(child(tree, "requires"));
    }

    fn kernel(&mut self, node: &Node, catalogue: &Catalogue) {
        if let Some(name) = node
            .as_str()
            .filter(|name| catalogue.kernel(name).is_none())
        {
            let names = catalogue.kernels.iter().map(|kernel| kernel.name.as_str());
            let hint = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
            let hint = hint.unwrap_or_else(|| "cudacheck list --kernels".to_owned());
            self.complain(
                Some(node),
                format!("there is no kernel `{name}`"),
                Some(hint),
            );
        }
    }

    fn bounds(&mut self, holder: Option<&Node>) {
        let Some(bounds) = holder.and_then(|holder| child(holder, "compute-capability")) else {
            return;
        };
        let value = |name| {
            child(bounds, name)
                .and_then(Node::as_str)?
                .parse::<crate::version::ComputeCapability>()
                .ok()
        };
        if let (Some(min), Some(max)) = (value("min"), value("max"))
            && min > max
        {
            self.complain(
                Some(bounds),
                format!("`min` {min} is above `max` {max}"),
                None,
            );
        }
    }
}

fn alias_limits() -> serde_yaml::options::AliasLimits {
    let mut limits = serde_yaml::options::AliasLimits::default();
    limits.max_total_replayed_events = 10_000;
    limits.max_replay_stack_depth = 8;
    limits
}

fn child<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    match &node.content {
        Content::Mapping(pairs) => pairs
            .iter()
            .find(|(key, _)| key.as_str() == Some(name))
            .map(|(_, value)| value),
        Content::Scalar(_) | Content::Sequence(_) => None,
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
fn matches(pattern: &str, text: &str) -> bool {
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
