//! Reads a suite and says everything that is wrong with it at once.
//!
//! The file is parsed into a tree with places, the tree is held against the JSON schema, and only a tree
//! without complaints becomes a [`Suite`]. A deserialiser would stop at the first complaint.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml::options::DuplicateKeyPolicy;

use super::complaint::{Complaint, nearest};
use super::tree::{Content, Node};
use super::{LibraryStage, Suite, TesterCheck, json_schema};

use crate::catalogue::Catalogue;
use crate::library::Library;

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

pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
    pub(super) complaints: Vec<Complaint>,
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
                let message = message.lines().next().unwrap_or_default();
                let message = message
                    .split(" at line ")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
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

    pub(super) fn complain(&mut self, node: Option<&Node>, message: String, hint: Option<String>) {
        let place = node.map(|node| (node.line, node.column));
        self.complaints.push(Complaint {
            file: self.file.to_owned(),
            place,
            message,
            hint,
        });
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
            if let Some(check) = child(case, "check").and_then(|check| child(check, "library")) {
                self.library(check);
            }
            if let Some(check) = child(case, "check").and_then(|check| child(check, "tester")) {
                self.tester(check);
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

    /// What no schema says of a tester. One that the schema refuses has been complained of already.
    fn tester(&mut self, check: &Node) {
        let tester: Option<TesterCheck> = serde_json::from_value(check.to_value()).ok();
        for message in tester.iter().flat_map(TesterCheck::complaints) {
            self.complain(Some(check), message, None);
        }
    }

    /// A test belongs to its library and to the stages that run one.
    fn library(&mut self, check: &Node) {
        let word = |name| child(check, name).and_then(Node::as_str);
        let quoted = |name| {
            let text = serde_json::Value::from(word(name)?);
            Some(text)
        };
        let library = quoted("name").and_then(|name| serde_json::from_value::<Library>(name).ok());
        let stage = quoted("stage").and_then(|it| serde_json::from_value::<LibraryStage>(it).ok());
        let (Some(library), Some(stage)) = (library, stage) else {
            return; // The schema has complained.
        };
        let tests = library.card().tests.iter().map(|test| test.name);
        match child(check, "test") {
            Some(node) if !stage.has_test() => self.complain(
                Some(node),
                format!("the stage `{stage}` runs no test"),
                Some("leave `test` out, or take the stage `numeric`".to_owned()),
            ),
            Some(node) => {
                if let Some(name) = node.as_str().filter(|name| library.test(name).is_none()) {
                    let near = nearest(name, tests).map(|near| format!("did you mean `{near}`?"));
                    let hint = near.unwrap_or_else(|| "cudacheck list --libraries".to_owned());
                    let message = format!("`{library}` has no test `{name}`");
                    self.complain(Some(node), message, Some(hint));
                }
            }
            None if stage.has_test() => {
                let all: Vec<&str> = tests.collect();
                let hint = format!("name one of: {}", all.join(", "));
                let message = format!("the stage `{stage}` needs a test");
                self.complain(Some(check), message, Some(hint));
            }
            None => {}
        }
        if let Some(node) = child(check, "least").filter(|_| stage != LibraryStage::Coverage) {
            self.complain(
                Some(node),
                format!("the stage `{stage}` finds no coverage"),
                Some("leave `least` out, or take the stage `coverage`".to_owned()),
            );
        }
        if let Some(node) = child(check, "devices").filter(|_| !stage.has_test()) {
            self.complain(
                Some(node),
                format!("the stage `{stage}` is made on no device"),
                Some("leave `devices` out, or take the stage `numeric`".to_owned()),
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
