//! Each rule of the loader, one mix of search paths at a time.

use cudacheck_model::package::{ElfClass, ElfFacts, FileKind, Machine};

use super::{Found, LoaderKind, cache};
use crate::fixture::{Tree, head, opened, strings};

fn needs(elf: &mut ElfFacts, names: &[&str]) {
    elf.needed = strings(names);
}

/// What a file gets for a name, as `rule path`, on its own or within another start.
#[track_caller]
fn check_within(tree: &Tree, within: Option<&str>, file: &str, name: &str, expected: &str) {
    let resolution = tree.resolve();
    let edges = if within.is_some() {
        &resolution.within
    } else {
        &resolution.edges
    };
    let edge = edges.iter().find(|edge| {
        edge.file == tree.host(file)
            && edge.edge.name == name
            && edge.within == within.map(|path| tree.host(path))
    });
    let rule = |rule: &cudacheck_model::finding::Rule| {
        let text = rule.to_string();
        text.replace(&*tree.host("").display().to_string(), "/")
    };
    let found = edge.map(|edge| match &edge.found {
        Found::File { path, rule: by, .. } => format!("{}: {}", rule(by), path.display()),
        Found::Driver {
            directory,
            rule: by,
            ..
        } => format!("{}: driver in {}", rule(by), directory.display()),
        Found::Unusable { path, because, .. } => format!("{} {because}", path.display()),
        Found::LeftToSystem => "system".to_owned(),
        Found::Missing => "missing".to_owned(),
    });
    assert_eq!(found.as_deref(), Some(expected), "{resolution:#?}");
}

#[track_caller]
fn check(tree: &Tree, file: &str, name: &str, expected: &str) {
    check_within(tree, None, file, name, expected);
}

#[test]
fn runpath_serves_the_file_and_not_its_dependencies() {
    let mut tree = Tree::new();
    tree.program("/p/bin/app", |elf| {
        needs(elf, &["liba.so"]);
        elf.runpath = Some("$ORIGIN/../lib".to_owned());
    });
    tree.library("/p/lib/liba.so", |elf| needs(elf, &["libb.so"]));
    tree.library("/p/lib/libb.so", |_| {});
    check(
        &tree,
        "/p/bin/app",
        "liba.so",
        "RUNPATH: /p/bin/../lib/liba.so",
    );
    check(&tree, "/p/lib/liba.so", "libb.so", "missing");
    assert_eq!(tree.resolve().within, []);
}

#[test]
fn rpath_serves_the_dependencies_too() {
    let mut tree = Tree::new();
    tree.program("/p/bin/app", |elf| {
        needs(elf, &["liba.so"]);
        elf.rpath = Some("${ORIGIN}/../lib".to_owned());
    });
    tree.library("/p/lib/liba.so", |elf| needs(elf, &["libb.so"]));
    tree.library("/p/lib/libb.so", |_| {});
    check(
        &tree,
        "/p/bin/app",
        "liba.so",
        "RPATH of /p/bin/app: /p/bin/../lib/liba.so",
    );
    check(&tree, "/p/lib/liba.so", "libb.so", "missing");
    let inherited = "RPATH of /p/bin/app: /p/bin/../lib/libb.so";
    check_within(
        &tree,
        Some("/p/bin/app"),
        "/p/lib/liba.so",
        "libb.so",
        inherited,
    );
}

#[test]
fn a_runpath_switches_every_rpath_off() {
    let mut tree = Tree::new();
    tree.program("/p/bin/app", |elf| {
        needs(elf, &["liba.so"]);
        elf.rpath = Some("$ORIGIN/../lib".to_owned());
    });
    tree.library("/p/lib/liba.so", |elf| {
        needs(elf, &["libb.so"]);
        elf.rpath = Some("$ORIGIN".to_owned());
        elf.runpath = Some("/nowhere".to_owned());
    });
    tree.library("/p/lib/libb.so", |_| {});
    check(&tree, "/p/lib/liba.so", "libb.so", "missing");
    assert_eq!(tree.resolve().within, []);
}

#[test]
fn the_environment_is_between_rpath_and_runpath() {
    let mut tree = Tree::new();
    tree.library("/p/lib/old.so", |elf| {
        needs(elf, &["libb.so"]);
        elf.rpath = Some("$ORIGIN".to_owned());
    });
    tree.library("/p/lib/new.so", |elf| {
        needs(elf, &["libb.so"]);
        elf.runpath = Some("$ORIGIN".to_owned());
    });
    tree.library("/p/lib/libb.so", |_| {});
    tree.library("/p/env/libb.so", |_| {});
    tree.context.library_path = vec!["/p/env".into()];
    check(
        &tree,
        "/p/lib/old.so",
        "libb.so",
        "RPATH of /p/lib/old.so: /p/lib/libb.so",
    );
    check(
        &tree,
        "/p/lib/new.so",
        "libb.so",
        "LD_LIBRARY_PATH: /p/env/libb.so",
    );
}

#[test]
fn what_is_loaded_is_found_by_its_soname() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |elf| {
        needs(elf, &["libb-real.so", "libc-user.so"]);
        elf.runpath = Some("$ORIGIN".to_owned());
    });
    tree.library("/p/lib/libb-real.so", |elf| {
        elf.soname = Some("libb.so.1".to_owned())
    });
    tree.library("/p/lib/libc-user.so", |elf| needs(elf, &["libb.so.1"]));
    check(&tree, "/p/lib/libc-user.so", "libb.so.1", "missing");
    let loaded = "already loaded: /p/lib/libb-real.so";
    check_within(
        &tree,
        Some("/p/lib/liba.so"),
        "/p/lib/libc-user.so",
        "libb.so.1",
        loaded,
    );
}

#[test]
fn the_cache_comes_before_default_directories() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |elf| {
        needs(elf, &["libx.so", "liby.so", "libz.so"])
    });
    tree.library("/p/lib/libn.so", |elf| {
        needs(elf, &["libx.so", "liby.so"]);
        elf.no_default_directories = true;
    });
    for path in [
        "/opt/libx.so",
        "/usr/lib64/libx.so",
        "/usr/lib64/liby.so",
        "/lib/liby.so",
    ] {
        tree.library(path, |_| {});
    }
    let entries = [
        (0, "libx.so", "/opt/libx.so"),
        (0, "liby.so", "/usr/lib64/liby.so"),
        (0, "libz.so", "/opt/gone.so"),
    ];
    tree.plain("/etc/ld.so.cache", &cache::written(&entries));
    check(
        &tree,
        "/p/lib/liba.so",
        "libx.so",
        "the loader's cache: /opt/libx.so",
    );
    check(
        &tree,
        "/p/lib/liba.so",
        "liby.so",
        "the loader's cache: /usr/lib64/liby.so",
    );
    check(&tree, "/p/lib/liba.so", "libz.so", "missing");
    check(
        &tree,
        "/p/lib/libn.so",
        "libx.so",
        "the loader's cache: /opt/libx.so",
    );
    check(&tree, "/p/lib/libn.so", "liby.so", "missing");
}

#[test]
fn debian_has_directories_of_its_own() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |elf| needs(elf, &["libx.so", "liby.so"]));
    tree.library("/usr/lib/x86_64-linux-gnu/libx.so", |_| {});
    tree.library("/lib/x86_64-linux-gnu/liby.so", |_| {});
    tree.library("/usr/lib64/libx.so", |_| {});
    check(
        &tree,
        "/p/lib/liba.so",
        "libx.so",
        "a default directory: /usr/lib/x86_64-linux-gnu/libx.so",
    );
    check(
        &tree,
        "/p/lib/liba.so",
        "liby.so",
        "a default directory: /lib/x86_64-linux-gnu/liby.so",
    );
}

#[test]
fn files_for_other_machines_are_passed_over_and_broken_ones_are_not() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |elf| {
        needs(elf, &["libx.so", "liby.so"]);
        elf.runpath = Some("/p/arm:/p/narrow:/p/text:/p/good".to_owned());
    });
    tree.plain("/p/arm/libx.so", &head(Machine::Aarch64, ElfClass::Elf64));
    tree.plain("/p/narrow/libx.so", &head(Machine::X86_64, ElfClass::Elf32));
    tree.library("/p/good/libx.so", |_| {});
    tree.plain(
        "/p/text/liby.so",
        "/* GNU ld script */ INPUT(-lc) /* and more, so that it is long enough */".as_bytes(),
    );
    tree.library("/p/good/liby.so", |_| {});
    check(
        &tree,
        "/p/lib/liba.so",
        "libx.so",
        "RUNPATH: /p/good/libx.so",
    );
    check(
        &tree,
        "/p/lib/liba.so",
        "liby.so",
        "/p/text/liby.so is not an ELF file",
    );
}

#[test]
fn origin_is_the_directory_of_the_link_for_libraries_and_of_the_file_for_programs() {
    let mut tree = Tree::new();
    tree.program("/p/libexec/app", |elf| {
        needs(elf, &["liba.so"]);
        elf.runpath = Some("$ORIGIN/../links".to_owned());
    });
    tree.library("/p/real/liba.so", |elf| {
        needs(elf, &["libb.so"]);
        elf.runpath = Some("$ORIGIN".to_owned());
    });
    tree.link("/p/bin/app", "../libexec/app");
    tree.link("/p/links/liba.so", "/p/real/liba.so");
    tree.library("/p/links/libb.so", |_| {});
    check(
        &tree,
        "/p/libexec/app",
        "liba.so",
        "RUNPATH: /p/libexec/../links/liba.so",
    );
    check(&tree, "/p/real/liba.so", "libb.so", "missing");
    let beside_the_link = "RUNPATH: /p/libexec/../links/libb.so";
    check_within(
        &tree,
        Some("/p/libexec/app"),
        "/p/real/liba.so",
        "libb.so",
        beside_the_link,
    );
}

#[test]
fn names_with_directories_are_paths() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |elf| {
        needs(elf, &["/p/lib/libb.so", "$ORIGIN/libb.so", "lib/libb.so"]);
    });
    tree.library("/p/lib/libb.so", |elf| elf.soname = None);
    check(
        &tree,
        "/p/lib/liba.so",
        "/p/lib/libb.so",
        "the name is a path: /p/lib/libb.so",
    );
    check(
        &tree,
        "/p/lib/liba.so",
        "$ORIGIN/libb.so",
        "the name is a path: /p/lib/libb.so",
    );
    check(&tree, "/p/lib/liba.so", "lib/libb.so", "missing");
}

#[test]
fn the_driver_is_known_to_be_where_it_belongs() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |elf| {
        needs(elf, &["libcuda.so.1", "libz.so.1"]);
        elf.runpath = Some("/p/lib/stubs-no:/run/opengl-driver/lib/:/p/stubs".to_owned());
    });
    tree.library("/p/stubs/libcuda.so.1", |_| {});
    check(
        &tree,
        "/p/lib/liba.so",
        "libcuda.so.1",
        "RUNPATH: driver in /run/opengl-driver/lib/",
    );
    check(&tree, "/p/lib/liba.so", "libz.so.1", "missing");
    tree.library("/p/lib/stubs-no/libcuda.so.1", |_| {});
    check(
        &tree,
        "/p/lib/liba.so",
        "libcuda.so.1",
        "RUNPATH: /p/lib/stubs-no/libcuda.so.1",
    );
}

#[test]
fn what_is_opened_is_searched_for_from_the_file_that_opens_it() {
    let mut tree = Tree::new();
    tree.program("/p/bin/app", |elf| {
        needs(elf, &["libcufft.so.11"]);
        elf.runpath = Some("/p/lib:/p/nvrtc".to_owned());
    });
    tree.library("/p/lib/libcufft.so.11", |elf| {
        elf.opened_names = opened(&["libnvrtc.so.12", "libnvJitLink.so.12", "libcufft.so.11"]);
        elf.runpath = Some("$ORIGIN".to_owned());
    });
    tree.library("/p/nvrtc/libnvrtc.so.12", |_| {});
    tree.library("/p/lib/libnvJitLink.so.12", |_| {});
    check(&tree, "/p/lib/libcufft.so.11", "libnvrtc.so.12", "missing");
    check(
        &tree,
        "/p/lib/libcufft.so.11",
        "libnvJitLink.so.12",
        "RUNPATH: /p/lib/libnvJitLink.so.12",
    );
    assert_eq!(
        tree.resolve()
            .of(&tree.host("/p/lib/libcufft.so.11"))
            .count(),
        2
    );
}

#[test]
fn a_name_that_is_opened_first_does_not_hide_what_another_search_lacks() {
    let mut tree = Tree::new();
    tree.program("/p/bin/app", |elf| {
        needs(elf, &["libgood.so", "libbad.so"]);
        elf.runpath = Some("/p/lib".to_owned());
    });
    tree.library("/p/lib/libgood.so", |elf| {
        elf.opened_names = opened(&["libplugin.so"]);
        elf.runpath = Some("/p/plugins".to_owned());
    });
    tree.library("/p/lib/libbad.so", |elf| {
        elf.opened_names = opened(&["libplugin.so"])
    });
    tree.library("/p/plugins/libplugin.so", |_| {});
    check(&tree, "/p/lib/libbad.so", "libplugin.so", "missing");
    assert_eq!(tree.resolve().within, []);
}

#[test]
fn cudnn_opens_its_parts_by_longer_names_than_it_writes() {
    let mut tree = Tree::new();
    tree.library("/p/lib/libcudnn.so.9", |elf| {
        elf.opened_names = opened(&["libcudnn_graph.so", "libcudnn_ops.so"]);
        elf.runpath = Some("$ORIGIN".to_owned());
    });
    tree.library("/p/lib/libcudnn_graph.so.9", |_| {});
    check(
        &tree,
        "/p/lib/libcudnn.so.9",
        "libcudnn_graph.so",
        "RUNPATH: /p/lib/libcudnn_graph.so.9",
    );
    check(&tree, "/p/lib/libcudnn.so.9", "libcudnn_ops.so", "missing");
}

#[test]
fn nix_searches_nothing_of_the_system() {
    let mut tree = Tree::new();
    let glibc = "/nix/store/g-glibc/lib";
    tree.file(
        &format!("{glibc}/libc.so.6"),
        FileKind::SharedObject,
        Machine::X86_64,
        |_| {},
    );
    tree.program("/nix/store/a-app/bin/app", |elf| {
        needs(elf, &["libc.so.6", "libz.so.1"]);
        elf.interpreter = Some(format!("{glibc}/ld-linux-x86-64.so.2"));
    });
    tree.library("/lib64/libz.so.1", |_| {});
    tree.library("/nix/store/b-lib/lib/libb.so", |elf| {
        needs(elf, &["libc.so.6"])
    });
    let app = "/nix/store/a-app/bin/app";
    check(
        &tree,
        app,
        "libc.so.6",
        "a default directory: /nix/store/g-glibc/lib/libc.so.6",
    );
    check(&tree, app, "libz.so.1", "missing");
    let own = "a default directory: /nix/store/g-glibc/lib/libc.so.6";
    check(&tree, "/nix/store/b-lib/lib/libb.so", "libc.so.6", own);
    tree.context.kind = LoaderKind::Distribution;
    check(
        &tree,
        app,
        "libz.so.1",
        "a default directory: /lib64/libz.so.1",
    );
}

#[test]
fn a_system_that_is_not_here_is_not_blamed() {
    let mut tree = Tree::new();
    let path = "/p/lib/liba.so";
    tree.file(path, FileKind::SharedObject, Machine::Aarch64, |elf| {
        needs(elf, &["libc.so.6", "libopenblas.so.0", "libcublas.so.12"]);
    });
    check(&tree, path, "libc.so.6", "system");
    check(&tree, path, "libopenblas.so.0", "system");
    check(&tree, path, "libcublas.so.12", "missing");
    let library = "/nix/store/b-lib/lib/libb.so";
    tree.library(library, |elf| needs(elf, &["libc.so.6", "libz.so.1"]));
    check(&tree, library, "libc.so.6", "system");
    check(&tree, library, "libz.so.1", "missing");
}

#[test]
fn libraries_for_better_processors_come_first_where_they_are_allowed() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |elf| {
        needs(elf, &["libb.so"]);
        elf.runpath = Some("$ORIGIN".to_owned());
    });
    tree.library("/p/lib/libb.so", |_| {});
    tree.library("/p/lib/glibc-hwcaps/x86-64-v3/libb.so", |_| {});
    check(
        &tree,
        "/p/lib/liba.so",
        "libb.so",
        "RUNPATH: /p/lib/libb.so",
    );
    tree.context.hardware = strings(&["x86-64-v4", "x86-64-v3"]);
    check(
        &tree,
        "/p/lib/liba.so",
        "libb.so",
        "RUNPATH: /p/lib/glibc-hwcaps/x86-64-v3/libb.so",
    );
}

#[test]
fn libraries_that_need_one_another_come_to_an_end() {
    let mut tree = Tree::new();
    for (name, other) in [("liba.so", "libb.so"), ("libb.so", "liba.so")] {
        tree.library(&format!("/p/lib/{name}"), |elf| {
            needs(elf, &[other]);
            elf.opened_names = opened(&["libc.so"]);
            elf.runpath = Some("$ORIGIN".to_owned());
        });
    }
    tree.library("/p/lib/libc.so", |elf| {
        elf.opened_names = opened(&["liba.so"])
    });
    check(
        &tree,
        "/p/lib/liba.so",
        "libb.so",
        "RUNPATH: /p/lib/libb.so",
    );
    check(
        &tree,
        "/p/lib/libb.so",
        "liba.so",
        "RUNPATH: /p/lib/liba.so",
    );
}
