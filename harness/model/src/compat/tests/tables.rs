//! The tables hold together: versions are in order, ranges do not contradict each other, sources are named.

use std::collections::BTreeSet;

use crate::catalogue::newest_ptx_isa;
use crate::compat::tables::{self, Sources};
use crate::compat::{Bound, GpuKind, Known, Rule, SymbolVersion, find_gpu, runs_on};

#[track_caller]
fn cited<'a>(sources: &Sources, lists: impl IntoIterator<Item = &'a Vec<String>>) {
    let mut used = BTreeSet::new();
    for list in lists {
        assert!(!list.is_empty(), "an entry without a source");
        for name in list {
            assert!(sources.contains_key(name), "no source `{name}`");
            used.insert(name);
        }
    }
    let unused: Vec<_> = sources.keys().filter(|name| !used.contains(name)).collect();
    assert!(unused.is_empty(), "sources that nothing cites: {unused:?}");
    assert!(sources.values().all(|source| source.what.len() > 10));
}

#[track_caller]
fn ascending<T: Ord + std::fmt::Debug>(values: impl IntoIterator<Item = T>) {
    let values: Vec<T> = values.into_iter().collect();
    let wrong = values.windows(2).find(|pair| pair[0] >= pair[1]);
    assert!(wrong.is_none(), "out of order: {wrong:?}");
}

#[test]
fn toolkits_are_consistent() {
    let table = tables::toolkits();
    assert_eq!(table.schema, 1);
    let all = &table.toolkits;
    cited(
        &table.sources,
        all.iter()
            .map(|each| &each.sources)
            .chain(table.floors.iter().map(|floor| &floor.sources)),
    );
    ascending(all.iter().map(|toolkit| toolkit.version));
    assert!(all.windows(2).all(|pair| pair[0].ptx <= pair[1].ptx));
    let compilers = all.iter().filter_map(|toolkit| toolkit.compilers);
    let compilers: Vec<_> = compilers.collect();
    // A newer toolkit takes what the one before it took.
    assert!(compilers.is_sorted_by_key(|newest| newest.gcc));
    assert!(compilers.is_sorted_by_key(|newest| newest.clang));
    assert_eq!(compilers.len() + 1, all.len(), "only 12.7 was never public");
    for toolkit in all {
        let version = toolkit.version;
        assert!(!toolkit.platforms.is_empty(), "{version}");
        // What a toolkit emits is what the driver that it came with accepts.
        assert_eq!(newest_ptx_isa(version), Some(toolkit.ptx), "{version}");
        if let Some(branch) = toolkit.branch {
            let branch = tables::branch(branch).expect("a toolkit's branch is listed");
            assert_eq!((branch.cuda, branch.ptx), (version, toolkit.ptx));
        }
        if let Some(driver) = &toolkit.driver {
            assert_eq!(Some(driver.branch()), toolkit.branch, "{version}");
            assert_eq!(
                toolkit.releases.first().map(|release| &release.driver),
                Some(driver)
            );
        }
        assert!(
            toolkit
                .releases
                .windows(2)
                .all(|pair| pair[0].driver <= pair[1].driver),
            "{version}"
        );
        assert!(
            toolkit.targets.is_sorted_by_key(|target| target.capability),
            "{version}"
        );
        for target in &toolkit.targets {
            let generation = tables::generation(target.capability).expect("a target is a GPU's");
            let span = &generation.toolkits;
            assert!(span.first <= version, "{version} {target}");
            assert!(
                span.last.is_none_or(|last| version <= last),
                "{version} {target}"
            );
        }
        // And the other way round: a GPU's span names no toolkit that lacks it.
        for generation in &tables::gpus().capabilities {
            let span = &generation.toolkits;
            let within = span.first <= version && span.last.is_none_or(|last| version <= last);
            let listed = toolkit
                .targets
                .iter()
                .any(|target| target.capability == generation.capability);
            assert!(
                !within || listed || toolkit.targets.is_empty(),
                "{version} {}",
                generation.capability
            );
        }
    }
    for floor in &table.floors {
        let lowest = all
            .iter()
            .find(|toolkit| toolkit.version.major == floor.major);
        let branch = lowest.and_then(|toolkit| toolkit.branch);
        assert_eq!(branch, Some(floor.driver.branch()));
    }
}

#[test]
fn branches_are_consistent() {
    let table = tables::drivers();
    assert_eq!(table.schema, 1);
    let packages = &table.compat_packages;
    cited(
        &table.sources,
        table
            .branches
            .iter()
            .map(|branch| &branch.sources)
            .chain([&packages.sources]),
    );
    ascending(table.branches.iter().map(|branch| branch.branch));
    ascending(table.branches.iter().map(|branch| branch.cuda));
    for branch in &table.branches {
        assert_eq!(
            tables::ptx_of(Bound::exactly(branch.cuda)).exact(),
            Some(branch.ptx)
        );
        if let Some(seen) = &branch.seen {
            assert_eq!(seen.driver.branch(), branch.branch);
            assert_eq!((seen.cuda, seen.ptx), (branch.cuda, branch.ptx));
        }
    }
    for package in &packages.packages {
        for base in package.usable_on.iter().chain(&package.needless_on) {
            assert!(packages.bases.contains(base));
        }
        for base in &package.usable_on {
            assert!(tables::branch(*base).is_some_and(|branch| branch.cuda < package.cuda));
        }
        for base in &package.admits {
            assert!(tables::branch(*base).is_some_and(|branch| branch.cuda <= package.cuda));
        }
        for base in package.usable_on.iter().chain(&package.needless_on) {
            // Where the note was read, NVIDIA's matrix does not promise more than it.
            assert!(package.admits.is_empty() || package.admits.contains(base));
        }
        for base in &package.needless_on {
            assert!(tables::branch(*base).is_some_and(|branch| branch.cuda == package.cuda));
        }
    }
}

#[test]
fn gpus_are_consistent() {
    let table = tables::gpus();
    assert_eq!(table.schema, 1);
    let mut lists: Vec<_> = table
        .capabilities
        .iter()
        .map(|each| &each.sources)
        .collect();
    lists.dedup();
    cited(&table.sources, lists);
    ascending(
        table
            .capabilities
            .iter()
            .map(|generation| generation.capability),
    );
    for generation in &table.capabilities {
        let capability = generation.capability;
        assert!(
            generation
                .toolkits
                .last
                .is_none_or(|last| last >= generation.toolkits.first)
        );
        assert_eq!(
            generation.kind == GpuKind::Tegra,
            generation.branches.is_none(),
            "{capability}"
        );
        if let Some(span) = &generation.branches {
            assert!(
                span.last.is_none_or(|last| last > span.first),
                "{capability}"
            );
        }
        let own = generation.family.first();
        assert!(own.is_none_or(|first| *first == capability), "{capability}");
    }
    for product in &table.products {
        assert!(tables::generation(product.capability).is_some());
        for name in &product.names {
            let found =
                find_gpu(name).unwrap_or_else(|error| panic!("{error}: {:?}", error.nearest));
            assert_eq!(found.capability, product.capability, "{name}");
        }
    }
}

#[test]
fn jetpacks_are_consistent() {
    let table = tables::jetpacks();
    assert_eq!(table.schema, 1);
    cited(
        &table.sources,
        table
            .releases
            .iter()
            .map(|each| &each.sources)
            .chain(table.upgrades.iter().map(|each| &each.sources)),
    );
    ascending(table.releases.iter().flat_map(|release| {
        let [first, last] = &release.jetpack;
        if first == last {
            vec![first]
        } else {
            vec![first, last]
        }
    }));
    for release in &table.releases {
        assert!(release.l4t[0] <= release.l4t[1]);
        assert!(tables::toolkit(release.cuda).is_some());
        for module in &release.modules {
            let gpu = find_gpu(module).expect("a module is a product");
            assert!(
                gpu.is_tegra() && runs_on(release, gpu.capability),
                "{module}"
            );
        }
        if let Some(driver) = &release.driver {
            // Jetson's branch 540 is none of the desktop's: only bounds are known.
            let cuda = tables::cuda_of(driver.branch());
            assert_ne!(
                cuda.reaches(Bound::exactly(release.cuda)),
                Known::No,
                "{driver}"
            );
        }
    }
    for upgrade in &table.upgrades {
        ascending(upgrade.offered.iter());
    }
}

#[test]
fn libraries_are_consistent() {
    let table = tables::libraries();
    assert_eq!(table.schema, 1);
    cited(
        &table.sources,
        table
            .sonames
            .iter()
            .map(|each| &each.sources)
            .chain(table.floors.iter().map(|each| &each.sources)),
    );
    for floor in &table.floors {
        assert!(!floor.cuda.is_empty());
        assert!(tables::generation(floor.capability).is_some());
        assert!(floor.drivers.keys().all(|major| floor.cuda.contains(major)));
    }
}

#[test]
fn systems_are_consistent() {
    let table = tables::systems();
    assert_eq!(table.schema, 1);
    cited(
        &table.sources,
        table.systems.iter().map(|each| &each.sources),
    );
    for system in &table.systems {
        assert!(!system.named.is_empty());
        let versions = [
            format!("GLIBC_{}", system.glibc),
            format!("GLIBCXX_{}", system.glibcxx),
            format!("CXXABI_{}", system.cxxabi),
        ];
        for version in versions {
            let parsed = version.parse::<SymbolVersion>();
            assert_eq!(parsed.map(|parsed| parsed.to_string()), Ok(version));
        }
    }
    // Every JetPack is one system.
    for release in &tables::jetpacks().releases {
        let major = release.jetpack[0].major();
        let of = table
            .systems
            .iter()
            .filter(|each| each.jetpacks.contains(&major));
        assert_eq!(of.count(), 1, "{major}");
    }
}

#[test]
fn variables_are_consistent() {
    let table = tables::variables();
    assert_eq!(table.schema, 1);
    cited(
        &table.sources,
        table.variables.iter().map(|each| &each.sources),
    );
    let names: BTreeSet<&str> = table
        .variables
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    assert_eq!(names.len(), table.variables.len());
    assert!(
        table
            .variables
            .iter()
            .all(|each| !each.effect.ends_with('.'))
    );
}

#[test]
fn rules_have_the_names_that_json_gives_them() {
    for (rule, key, meaning) in Rule::ALL {
        assert_eq!(serde_json::to_value(rule).unwrap(), *key);
        assert!(meaning.ends_with('.'));
    }
}
