//! Makes mutants of a kernel: its PTX with one instruction changed.

/// A kernel with one instruction changed.
pub(crate) struct Mutant {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The instruction as it was.
    pub(crate) before: String,
    /// The instruction as it is; empty if it was dropped.
    pub(crate) after: String,
    /// The whole module.
    pub(crate) ptx: String,
}

/// Pairs of which one becomes the other, within the dotted words of an opcode.
const OPCODE_SWAPS: &[(&str, &str)] = &[
    ("add", "sub"),
    ("addc", "subc"),
    ("mul", "add"),
    ("and", "or"),
    ("xor", "or"),
    ("shl", "shr"),
    ("min", "max"),
    ("popc", "clz"),
    ("sin", "cos"),
    ("ex2", "lg2"),
    ("rcp", "sqrt"),
    ("bfe", "bfi"),
];

/// Pairs of which one becomes the other, among the modifiers.
const MODIFIER_SWAPS: &[(&str, &str)] = &[
    ("lo", "hi"),
    ("eq", "ne"),
    ("lt", "ge"),
    ("le", "gt"),
    ("ltu", "geu"),
    ("equ", "neu"),
    ("lt", "le"),
    ("ge", "gt"),
    ("rn", "rz"),
    ("rm", "rp"),
    ("rni", "rzi"),
    ("rmi", "rpi"),
    ("up", "down"),
    ("bfly", "idx"),
    ("all", "any"),
    ("row", "col"),
    ("s8", "u8"),
    ("s32", "u32"),
    ("s64", "u64"),
    ("x", "y"),
    ("y", "z"),
    ("and", "or"),
    ("add", "min"),
    ("min", "max"),
    ("inc", "dec"),
    ("wrap", "clamp"),
    ("shiftamt", ""),
    ("ftz", ""),
    ("sat", ""),
    ("trans", ""),
    ("popc", "and"),
    ("exch", "add"),
    ("l", "r"),
];

const SPECIAL_SWAPS: &[(&str, &str)] = &[
    ("%tid.x", "%ctaid.x"),
    ("%ctaid.x", "%tid.x"),
    ("%ntid.x", "%nctaid.x"),
    ("%nctaid.x", "%ntid.x"),
    ("%tid.y", "%tid.z"),
    ("%ctaid.y", "%ctaid.z"),
    ("%laneid", "%warpid"),
    ("%warpid", "%laneid"),
    ("%lanemask_lt", "%lanemask_le"),
    ("%lanemask_eq", "%lanemask_ge"),
];

/// Opcodes for which signed and unsigned differ. For the others `.s32` and `.u32` are the same bits, and
/// comparisons and widening products are left out because kernels make them of indices, which are far
/// below 2^31: each would be a survivor that says nothing.
const SIGN_MATTERS: &[&str] = &[
    "min", "max", "shr", "div", "rem", "cvt", "abs", "atom", "red", "redux", "bfe", "mul", "mad",
    "sad",
];

/// Instructions whose absence must be noticed.
const DROPPED: &[&str] = &[
    "st", "bar", "barrier", "membar", "fence", "red", "atom", "call", "cp",
];

/// All mutants of a module, in the order of its lines.
pub(crate) fn mutants(ptx: &str) -> Vec<Mutant> {
    let lines: Vec<&str> = ptx.lines().collect();
    let mut mutants = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(instruction) = instruction(line) else {
            continue;
        };
        for after in changes(instruction) {
            let changed = line.replacen(instruction, &after, 1);
            let whole: Vec<&str> = lines
                .iter()
                .enumerate()
                .map(|(other, line)| {
                    if other == index {
                        changed.as_str()
                    } else {
                        *line
                    }
                })
                .collect();
            mutants.push(Mutant {
                line: index + 1,
                before: instruction.to_owned(),
                after,
                ptx: whole.join("\n") + "\n",
            });
        }
    }
    mutants
}

/// The instruction of a line, without label and comment.
fn instruction(line: &str) -> Option<&str> {
    let code = line.split("//").next().unwrap_or_default().trim();
    let code = match code.split_once(':') {
        Some((label, rest))
            if label
                .chars()
                .all(|c| c.is_alphanumeric() || "_$%".contains(c)) =>
        {
            rest.trim()
        }
        _ => code,
    };
    let first = code.chars().next()?;
    let is_instruction = (first.is_ascii_lowercase() || first == '@') && code.ends_with(';');
    // Registers of a vector stand in braces; an open brace alone begins a block.
    let balanced = code.matches('{').count() == code.matches('}').count();
    (is_instruction && balanced).then_some(code)
}

fn changes(instruction: &str) -> Vec<String> {
    let (guard, body) = match instruction.strip_prefix('@') {
        Some(rest) => rest
            .split_once(char::is_whitespace)
            .map_or(("", instruction), |(guard, body)| {
                (guard, body.trim_start())
            }),
        None => ("", instruction),
    };
    let with_guard = |body: String| {
        if guard.is_empty() {
            body
        } else {
            format!("@{guard} {body}")
        }
    };
    let (opcode, operands) = body
        .split_once(char::is_whitespace)
        .unwrap_or((body.trim_end_matches(';'), ";"));
    let words: Vec<&str> = opcode.split('.').collect();
    let mut changes = Vec::new();

    if !guard.is_empty() {
        let negated = guard
            .strip_prefix('!')
            .map_or_else(|| format!("!{guard}"), str::to_owned);
        changes.push(format!("@{negated} {body}"));
    }
    for (position, word) in words.iter().enumerate() {
        let swaps = if position == 0 {
            OPCODE_SWAPS
        } else {
            MODIFIER_SWAPS
        };
        for (left, right) in swaps {
            let sign = position > 0 && ["s32", "s64"].contains(left);
            let modular = words
                .iter()
                .any(|word| ["lo", "wide", "add", "exch"].contains(word));
            if sign && (modular || !SIGN_MATTERS.contains(&words[0])) {
                continue;
            }
            let other = if word == left {
                right
            } else if word == right && !right.is_empty() {
                left
            } else {
                continue;
            };
            let mut changed = words.clone();
            changed[position] = other;
            let opcode = changed
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(".");
            changes.push(with_guard(format!("{opcode} {operands}")));
        }
    }
    for (from, to) in SPECIAL_SWAPS {
        if operands.contains(from) {
            changes.push(with_guard(format!(
                "{opcode} {}",
                operands.replacen(from, to, 1)
            )));
        }
    }
    // The number of a barrier is a name: another name is the same kernel.
    let names_a_barrier = words[0] == "bar" || words[0] == "barrier";
    if let Some(operands) = incremented(operands).filter(|_| !names_a_barrier) {
        changes.push(with_guard(format!("{opcode} {operands}")));
    }
    if DROPPED.contains(&words[0]) {
        changes.push(String::new());
    }
    changes.dedup();
    changes
}

/// The operands with the last plain integer one larger: an immediate, or an address's offset.
fn incremented(operands: &str) -> Option<String> {
    let bytes = operands.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_%$.".contains(&byte);
    let mut end = bytes.len();
    while end > 0 {
        let stop = (0..end).rev().find(|index| is_word(bytes[*index]))? + 1;
        let start = (0..stop)
            .rev()
            .find(|index| !is_word(bytes[*index]))
            .map_or(0, |index| index + 1);
        let word = &operands[start..stop];
        let value = match word.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits.trim_end_matches('U'), 16).ok(),
            None => word.parse::<u64>().ok(),
        };
        // One more than all ones is no 32-bit immediate.
        if let Some(value) = value.filter(|value| *value != u64::from(u32::MAX)) {
            return Some(format!(
                "{}{}{}",
                &operands[..start],
                value.wrapping_add(1),
                &operands[stop..]
            ));
        }
        end = start;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let found = instruction(line).map(changes).unwrap_or_default();
        assert_eq!(found, expected);
    }

    #[test]
    fn one_instruction_is_changed_in_every_way_that_makes_sense() {
        check(
            "    add.s32 %r1, %r2, 4; // a comment",
            &[
                "sub.s32 %r1, %r2, 4;",
                "mul.s32 %r1, %r2, 4;",
                "add.s32 %r1, %r2, 5;",
            ],
        );
        check("    @%p bra done;", &["@!%p bra done;"]);
        check("    bar.sync 0;", &[""]);
        check(
            "    shr.s32 %r1, %r2, %r3;",
            &["shl.s32 %r1, %r2, %r3;", "shr.u32 %r1, %r2, %r3;"],
        );
        check("    mov.u32 %r0, %tid.x;", &["mov.u32 %r0, %ctaid.x;"]);
        check("    .reg .b32 %r<20>;", &[]);
        check("done:", &[]);
    }
}
