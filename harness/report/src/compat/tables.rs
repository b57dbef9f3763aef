//! Prints the tables that the answers rest on, so that a person can check an entry and its source.

use cudacheck_model::compat::tables::{self, Changes, Confidence, Source};
use cudacheck_model::compat::{Rule, explanation_sources, platform_name};

/// All tables, with their sources.
pub fn tables() -> String {
    let mut out = String::from("The tables of compatibility, with their sources.\n\nRules\n");
    for (_, key, meaning) in Rule::ALL {
        out += &format!("  {key:<24} {meaning}\n");
    }
    let toolkits = tables::toolkits();
    out += "\nToolkits: version, first Linux driver, PTX, newest GCC and Clang, machine code, confidence\n";
    for toolkit in &toolkits.toolkits {
        let driver = match (&toolkit.driver, toolkit.branch) {
            (Some(driver), _) => driver.to_string(),
            (None, Some(branch)) => format!("R{branch}"),
            (None, None) => "unknown".to_owned(),
        };
        let targets: Vec<String> = toolkit
            .targets
            .iter()
            .map(|target| target.to_string().replace("sm_", ""))
            .collect();
        let compilers = toolkit.compilers.map_or("-".to_owned(), |newest| {
            format!("{} {}", newest.gcc, newest.clang)
        });
        let line = format!(
            "  {:<6} {driver:<11} {:<4} {compilers:<6} {}{}",
            toolkit.version.to_string(),
            toolkit.ptx.to_string(),
            targets.join(" "),
            sureness(toolkit.confidence)
        );
        out += &format!("{}\n", line.trim_end());
    }
    out += "\nLowest driver of each major version\n";
    for floor in &toolkits.floors {
        out += &format!("  {}.x  {}\n", floor.major, floor.driver);
    }
    out += &sources(&toolkits.sources);
    let drivers = tables::drivers();
    out += "\nDriver branches: CUDA that each supports, newest PTX\n";
    for branch in &drivers.branches {
        let seen = branch
            .seen
            .as_ref()
            .map(|seen| format!("  seen with {}", seen.driver));
        out += &format!(
            "  R{:<5} {:<6} {:<4}{}{}\n",
            branch.branch,
            branch.cuda.to_string(),
            branch.ptx.to_string(),
            seen.unwrap_or_default(),
            sureness(branch.confidence)
        );
    }
    out += "\nForward compatibility packages: branches on which each is of use\n";
    for package in &drivers.compat_packages.packages {
        let usable: Vec<String> = package
            .usable_on
            .iter()
            .map(|branch| format!("R{branch}"))
            .collect();
        let noted = package.admits.iter();
        let noted: Vec<String> = noted
            .filter(|branch| !package.usable_on.contains(branch))
            .filter(|branch| !package.needless_on.contains(branch))
            .map(|branch| format!("R{branch}"))
            .collect();
        let noted = if noted.is_empty() {
            String::new()
        } else {
            format!("; by its note also {}", noted.join(" "))
        };
        let line = format!(
            "  cuda-compat-{}-{:<3} {}{noted}",
            package.cuda.major,
            package.cuda.minor,
            usable.join(" ")
        );
        out += &format!("{}\n", line.trim_end());
    }
    out += &sources(&drivers.sources);
    out += &gpus();
    out += &jetpacks();
    out += &libraries();
    out += &systems();
    out += &variables();
    out += "\nErrors: `cudacheck explain` prints them\n";
    out + &sources(explanation_sources())
}

fn gpus() -> String {
    let table = tables::gpus();
    let mut out =
        String::from("\nGPUs: capability, generation, toolkits, driver branches, products\n");
    for generation in &table.capabilities {
        let toolkits = match generation.toolkits.last {
            Some(last) => format!("{} to {last}", generation.toolkits.first),
            None => format!("{} on", generation.toolkits.first),
        };
        let branches = generation
            .branches
            .as_ref()
            .map_or("JetPack".to_owned(), |span| match span.last {
                Some(last) => format!("R{} to R{last}", span.first),
                None => format!("R{} on", span.first),
            });
        let products = table
            .products
            .iter()
            .filter(|product| product.capability == generation.capability);
        let names: Vec<&str> = products
            .flat_map(|product| &product.names)
            .map(String::as_str)
            .collect();
        out += &format!(
            "  {:<7} {:<10} {toolkits:<13} {branches:<13} {}{}\n",
            generation.capability.sm(),
            generation.architecture,
            names.join(", "),
            sureness(generation.confidence)
        );
    }
    out + &sources(&table.sources)
}

fn jetpacks() -> String {
    let table = tables::jetpacks();
    let mut out = String::from("\nJetPack: Jetson Linux, CUDA, platform, modules\n");
    for release in &table.releases {
        let [first, last] = &release.jetpack;
        let versions = if first == last {
            first.to_string()
        } else {
            format!("{first} to {last}")
        };
        out += &format!(
            "  {versions:<15} L4T {:<8} CUDA {:<5} {:<14} {}{}\n",
            release.l4t[1].to_string(),
            release.cuda.to_string(),
            platform_name(release.platform),
            release.modules.join(", "),
            sureness(release.confidence)
        );
    }
    for upgrade in &table.upgrades {
        let offered: Vec<String> = upgrade.offered.iter().map(ToString::to_string).collect();
        let offered = if offered.is_empty() {
            "none".to_owned()
        } else {
            offered.join(", ")
        };
        out += &format!(
            "  upgrades of JetPack {}.x: {offered}\n",
            upgrade.jetpack[0]
        );
    }
    out + &sources(&table.sources)
}

fn libraries() -> String {
    let table = tables::libraries();
    let mut out =
        String::from("\nLibraries: CUDA major versions, lowest capability, lowest drivers\n");
    for floor in &table.floors {
        let [first, last] = &floor.versions;
        let versions = if first == last {
            first.clone()
        } else {
            format!("{first} to {last}")
        };
        let majors: Vec<String> = floor.cuda.iter().map(ToString::to_string).collect();
        let drivers: Vec<String> = floor.drivers.values().map(ToString::to_string).collect();
        let line = format!(
            "  {:<9} {versions:<14} CUDA {:<7} {:<6} {}{}",
            floor.library,
            majors.join(" "),
            floor.capability.sm(),
            drivers.join(" "),
            sureness(floor.confidence)
        );
        out += &format!("{}\n", line.trim_end());
    }
    out + &sources(&table.sources)
}

fn systems() -> String {
    let table = tables::systems();
    let mut out = String::from("\nDistributions: newest GLIBC, GLIBCXX, CXXABI\n");
    for system in &table.systems {
        out += &format!(
            "  {:<7} {:<7} {:<7} {}{}\n",
            system.glibc,
            system.glibcxx,
            system.cxxabi,
            system.named.join(", "),
            sureness(system.confidence)
        );
    }
    out + &sources(&table.sources)
}

fn variables() -> String {
    let table = tables::variables();
    let mut out = String::from("\nEnvironment variables; those with * are looked at by rules\n");
    for variable in &table.variables {
        let mark = match variable.changes {
            Changes::Verdict => "*",
            Changes::Nothing => " ",
        };
        out += &format!(
            "{mark} {:<26} {}{}\n",
            variable.name,
            variable.effect,
            sureness(variable.confidence)
        );
    }
    out + &sources(&table.sources)
}

fn sureness(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "",
        Confidence::Medium => "  (fairly sure)",
        Confidence::Low => "  (not sure)",
    }
}

fn sources<'a>(sources: impl IntoIterator<Item = (&'a String, &'a Source)>) -> String {
    let mut out = String::from("  Sources:\n");
    for (name, source) in sources {
        out += &format!("    {name:<10} {}\n", source.what);
    }
    out
}
