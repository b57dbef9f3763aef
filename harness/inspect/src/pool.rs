//! Reads several files at once, and answers in their order.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::Progress;

/// Applies `work` to every item on up to `threads` threads, each with a state of its own.
pub(crate) fn map<T: Sync, S, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    state: fn() -> S,
    work: impl Fn(&mut S, &T) -> R + Sync,
    progress: &(dyn Fn(Progress) + Sync),
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = AtomicU64::new(0);
    let worker = || {
        let mut state = state();
        let mut results = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return results;
            };
            results.push((index, work(&mut state, item)));
            let files = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(Progress {
                files,
                of: items.len() as u64,
            });
        }
    };
    let mut results = std::thread::scope(|scope| {
        let helpers = threads.get().min(items.len()).saturating_sub(1);
        let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(worker)).collect();
        let mut results = worker();
        for helper in helpers {
            match helper.join() {
                Ok(part) => results.extend(part),
                // Its own message has been printed; what was to be read would be missing without a word.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let items: Vec<u32> = (0..1000).collect();
        let most = AtomicU64::new(0);
        let seen = |progress: Progress| {
            most.fetch_max(progress.files, Ordering::Relaxed);
            assert_eq!(progress.of, 1000);
        };
        let three = NonZeroUsize::new(3).unwrap();
        let answers = map(&items, three, || 0_u32, |_, item| item * 2, &seen);
        assert_eq!(
            answers,
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        assert_eq!(most.into_inner(), 1000);
    }
}
