//! Finds where the paths of a divergent branch meet again: at its immediate post-dominator.

use super::code::{END, Inst, Op};

/// Marks every meeting place with [`Op::Join`], and tells each branch its own.
pub(crate) fn mark_joins(code: &mut Vec<Inst>) {
    if code.is_empty() {
        return;
    }
    let blocks = blocks(code);
    let of_instruction = |index: usize| blocks.partition_point(|start| *start <= index) - 1;
    let last = |block: usize| blocks.get(block + 1).copied().unwrap_or(code.len()) - 1;
    let successors: Vec<Vec<usize>> = (0..blocks.len())
        .map(|block| {
            let at = last(block);
            let mut next: Vec<usize> = targets(&code[at])
                .iter()
                .map(|target| of_instruction(*target as usize))
                .collect();
            if falls_through(&code[at]) {
                next.push(if at + 1 < code.len() {
                    block + 1
                } else {
                    blocks.len()
                });
            }
            if ends(&code[at]) {
                next.push(blocks.len());
            }
            next
        })
        .collect();
    let meets = post_dominators(&successors);

    let mut joins = vec![false; code.len()];
    let mut meeting = vec![END; code.len()];
    for (block, meet) in meets.iter().enumerate().take(blocks.len()) {
        let at = last(block);
        if targets(&code[at]).is_empty() {
            continue;
        }
        if let Some(&start) = blocks.get(*meet) {
            joins[start] = true;
            meeting[at] = u32::try_from(start).unwrap_or(END);
        }
    }
    // New indices: a join stands before the instruction that it belongs to, and branches lead to the join.
    let mut moved = Vec::with_capacity(code.len());
    let mut inserted = 0;
    for (index, join) in joins.iter().enumerate() {
        moved.push(u32::try_from(index + inserted).unwrap_or(END));
        inserted += usize::from(*join);
    }
    let there = |index: u32| moved.get(index as usize).copied().unwrap_or(END);
    let old = std::mem::take(code);
    for (index, mut inst) in old.into_iter().enumerate() {
        if joins[index] {
            code.push(Inst {
                guard: None,
                op: Op::Join,
                line: inst.line,
                span: inst.span,
            });
        }
        if let Op::Branch { target, join } = &mut inst.op {
            *target = there(*target);
            *join = there(meeting[index]);
        }
        if let Op::Table { targets, join, .. } = &mut inst.op {
            for target in targets.iter_mut() {
                *target = there(*target);
            }
            *join = there(meeting[index]);
        }
        code.push(inst);
    }
}

fn targets(inst: &Inst) -> &[u32] {
    if let Op::Branch { target, .. } = &inst.op {
        std::slice::from_ref(target)
    } else if let Op::Table { targets, .. } = &inst.op {
        targets
    } else {
        &[]
    }
}

fn ends(inst: &Inst) -> bool {
    matches!(inst.op, Op::Return | Op::Exit | Op::Trap)
}

fn falls_through(inst: &Inst) -> bool {
    inst.guard.is_some() || !(ends(inst) || matches!(inst.op, Op::Branch { .. } | Op::Table { .. }))
}

/// The first instruction of each basic block.
fn blocks(code: &[Inst]) -> Vec<usize> {
    let mut starts = vec![0];
    for (index, inst) in code.iter().enumerate() {
        let leaves = targets(inst);
        starts.extend(leaves.iter().map(|target| *target as usize));
        if (!leaves.is_empty() || ends(inst)) && index + 1 < code.len() {
            starts.push(index + 1);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The immediate post-dominator of each block; the number of blocks stands for the function's end.
///
/// The iteration of Cooper, Harvey, and Kennedy, "A simple, fast dominance algorithm", on reversed edges.
fn post_dominators(successors: &[Vec<usize>]) -> Vec<usize> {
    let end = successors.len();
    let mut predecessors = vec![Vec::new(); end + 1];
    for (block, next) in successors.iter().enumerate() {
        for next in next {
            predecessors[*next].push(block);
        }
    }
    // Postorder of the reversed graph, without recursion: hostile text nests deeply.
    let mut order = Vec::new();
    let mut number = vec![usize::MAX; end + 1];
    let mut seen = vec![false; end + 1];
    let mut stack = vec![(end, 0)];
    seen[end] = true;
    while let Some((block, next)) = stack.pop() {
        if let Some(&before) = predecessors[block].get(next) {
            stack.push((block, next + 1));
            if !seen[before] {
                seen[before] = true;
                stack.push((before, 0));
            }
        } else {
            number[block] = order.len();
            order.push(block);
        }
    }
    let mut meets = vec![usize::MAX; end + 1];
    meets[end] = end;
    let mut changed = true;
    while changed {
        changed = false;
        for &block in order.iter().rev().skip(1) {
            let mut new = usize::MAX;
            for &next in &successors[block] {
                if meets[next] == usize::MAX {
                    continue;
                }
                new = if new == usize::MAX {
                    next
                } else {
                    common(&meets, &number, new, next)
                };
            }
            if new != meets[block] {
                meets[block] = new;
                changed = true;
            }
        }
    }
    // Blocks that never reach the end meet nowhere before it.
    for block in &mut meets {
        *block = (*block).min(end);
    }
    meets
}

fn common(meets: &[usize], number: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        while number[a] < number[b] {
            a = meets[a];
        }
        while number[b] < number[a] {
            b = meets[b];
        }
    }
    a
}
