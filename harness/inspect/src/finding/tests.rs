//! Each flaw made and not made: what is wrong is found under its own code, and what is right is not.

mod contents;

use cudacheck_model::finding::Severity::{Error, Note, Warning};
use cudacheck_model::finding::{Finding, Flaw, Severity, StubWins};
use cudacheck_model::package::{ElfFacts, ExecutableStack, FileKind, Machine};

use super::{Question, findings};
use crate::fixture::{Tree, code, needed_versions, opened, strings};

const DRIVER: &str = "/run/opengl-driver/lib";

fn ask(tree: &Tree, question: &Question) -> Vec<Finding> {
    findings(&tree.facts(), &tree.resolve(), question)
}

#[track_caller]
fn check_asked(tree: &Tree, question: &Question, expected: &[(&str, Severity, &str)]) {
    let found = ask(tree, question);
    let found: Vec<_> = found
        .iter()
        .map(|finding| {
            (
                finding.code.to_string(),
                finding.severity,
                finding.evidence.file.clone(),
            )
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(code, severity, file)| ((*code).to_owned(), *severity, tree.host(file)))
        .collect();
    assert_eq!(found, expected);
}

/// The findings, as code, severity, and file.
#[track_caller]
fn check(tree: &Tree, expected: &[(&str, Severity, &str)]) {
    check_asked(tree, &Question::default(), expected);
}

fn runpath(elf: &mut ElfFacts, path: &str) {
    elf.runpath = Some(path.to_owned());
}

/// A package of a distribution with nothing wrong: each test breaks one thing of it.
fn good() -> Tree {
    let mut tree = Tree::new();
    tree.program("/p/bin/app", |elf| {
        elf.needed = strings(&["libmagma.so", "libstdc++.so.6"]);
        elf.needed_versions = vec![needed_versions("libstdc++.so.6", &["GLIBCXX_3.4.30"])];
        runpath(elf, "$ORIGIN/../lib");
    });
    let magma = tree.library("/p/lib/libmagma.so", |elf| {
        elf.needed = strings(&["libcublas.so.12", "libcuda.so.1"]);
        elf.driver_symbols = strings(&["cuInit"]);
        elf.opened_names = opened(&["libcuda.so.1", "libnvidia-ml.so.1"]);
        runpath(elf, &format!("{DRIVER}:$ORIGIN"));
    });
    magma.code = code(&["sm_80", "sm_90"], &["sm_90"]);
    tree.library("/p/lib/libcublas.so.12", |elf| {
        elf.opened_names = opened(&["libcuda.so.1"]);
        runpath(elf, DRIVER);
    });
    tree.library("/p/lib/libstdc++.so.6", |elf| {
        elf.provided_versions = strings(&["GLIBCXX_3.4.29", "GLIBCXX_3.4.30"]);
    });
    tree
}

#[test]
fn a_correct_package_has_no_findings() {
    let question = Question {
        platform: Some("linux-x86_64".parse().unwrap()),
        expected: Some("sm_80,sm_90,ptx".parse().unwrap()),
    };
    check_asked(&good(), &question, &[]);
}

#[test]
fn whoever_asks_for_the_driver_must_know_where_it_is() {
    let mut tree = good();
    tree.library("/p/lib/libneeds.so", |elf| {
        elf.needed = strings(&["libcuda.so.1"])
    });
    tree.library("/p/lib/libopens.so", |elf| {
        elf.opened_names = opened(&["libnvidia-ml.so.1"])
    });
    // NVRTC compiles without a driver, and a stub is no user of a driver.
    tree.library("/p/lib/libnvrtc.so.12", |elf| {
        elf.opened_names = opened(&["libcuda.so.1"])
    });
    check(
        &tree,
        &[
            ("driver-directory-missing", Note, "/p/lib/libneeds.so"),
            ("driver-directory-missing", Note, "/p/lib/libopens.so"),
        ],
    );
}

#[test]
fn in_the_store_nothing_else_leads_to_the_driver() {
    let mut tree = Tree::new();
    let (bad, good) = (
        "/nix/store/a-bad/lib/libbad.so",
        "/nix/store/b-good/lib/libgood.so",
    );
    tree.library(bad, |elf| {
        elf.opened_names = opened(&["libcuda.so", "libcuda.so.1"])
    });
    tree.library(good, |elf| {
        elf.opened_names = opened(&["libcuda.so.1"]);
        runpath(elf, "/run/opengl-driver/lib/");
    });
    // A driver that the store itself provides, as for Jetson devices.
    let compat = "/nix/store/c-cuda_compat/compat";
    tree.library(&format!("{compat}/libcuda.so.1"), |_| {});
    tree.library("/nix/store/d-jetson/lib/libj.so", |elf| {
        elf.needed = strings(&["libcuda.so.1"]);
        runpath(elf, compat);
    });
    let video = "/nix/store/e-video/lib/libv.so";
    tree.library(video, |elf| elf.opened_names = opened(&["libnvcuvid.so.1"]));
    check(
        &tree,
        &[
            ("driver-directory-missing", Error, bad),
            ("driver-directory-missing", Warning, video),
        ],
    );
    let found = ask(&tree, &Question::default());
    assert_eq!(
        found[0].message,
        "asks for `libcuda.so`, `libcuda.so.1`, but `/run/opengl-driver/lib` is on none of its search paths"
    );
}

#[test]
fn an_inherited_rpath_leads_to_the_driver_for_one_program_only() {
    let mut tree = Tree::new();
    tree.program("/p/bin/app", |elf| {
        elf.needed = strings(&["liba.so"]);
        elf.rpath = Some(format!("{DRIVER}:$ORIGIN/../lib"));
    });
    tree.library("/p/lib/liba.so", |elf| {
        elf.opened_names = opened(&["libcuda.so.1"])
    });
    check(
        &tree,
        &[
            ("old-style-rpath", Warning, "/p/bin/app"),
            ("driver-directory-missing", Warning, "/p/lib/liba.so"),
        ],
    );
}

#[track_caller]
fn check_stubs(path: &str, has_stub: &[&str], expected: Option<(Severity, StubWins)>) {
    let mut tree = Tree::new();
    for stub in has_stub {
        tree.plain(
            stub,
            &crate::fixture::head(Machine::X86_64, cudacheck_model::package::ElfClass::Elf64),
        );
    }
    tree.library("/p/lib/liba.so", |elf| {
        elf.opened_names = opened(&["libcuda.so.1"]);
        runpath(elf, path);
    });
    let found = ask(&tree, &Question::default());
    let found = found.iter().find_map(|finding| {
        let Flaw::StubsOnPath { wins, .. } = &finding.flaw else {
            return None;
        };
        Some((finding.severity, *wins))
    });
    assert_eq!(found, expected, "{path}");
}

#[test]
fn stubs_win_or_not_by_their_place() {
    let stub = &["/p/lib/stubs/libcuda.so.1"][..];
    check_stubs(
        "$ORIGIN/stubs:/run/opengl-driver/lib",
        stub,
        Some((Error, StubWins::Always)),
    );
    check_stubs("/p/lib/stubs", stub, Some((Error, StubWins::Always)));
    let second = Some((Warning, StubWins::WithoutDriverDirectory));
    check_stubs("/run/opengl-driver/lib:/p/lib/stubs/", stub, second);
    check_stubs(
        "/run/opengl-driver/lib:$ORIGIN/stubs",
        &[],
        Some((Warning, StubWins::Never)),
    );
    check_stubs("/run/opengl-driver/lib:$ORIGIN", stub, None);
}

#[test]
fn search_paths_must_not_lead_astray() {
    let mut tree = good();
    tree.library("/p/lib/libl.so", |elf| {
        runpath(elf, "/usr/local/cuda-12.9/lib64:/p/lib:/usr/lib/x")
    });
    tree.library("/p/lib/libm.so", |elf| {
        runpath(elf, "/build/source/lib:/nix/store/x/lib")
    });
    tree.library("/p/lib/libn.so", |elf| runpath(elf, "$ORIGIN:"));
    tree.library("/p/lib/libo.so", |elf| runpath(elf, ""));
    tree.library("/p/lib/libp.so", |elf| {
        elf.rpath = Some("$ORIGIN".to_owned())
    });
    tree.library("/nix/store/q-q/lib/libq.so", |elf| runpath(elf, "/usr/lib"));
    check(
        &tree,
        &[
            ("build-path-on-path", Warning, "/nix/store/q-q/lib/libq.so"),
            ("usr-local-cuda-on-path", Warning, "/p/lib/libl.so"),
            ("build-path-on-path", Warning, "/p/lib/libm.so"),
            ("current-directory-on-path", Warning, "/p/lib/libn.so"),
            ("old-style-rpath", Warning, "/p/lib/libp.so"),
        ],
    );
}

#[test]
fn dependencies_must_be_found_by_each_file_itself() {
    let mut tree = good();
    tree.library("/p/lib/liba.so", |elf| {
        elf.needed = strings(&["libnone.so.3"])
    });
    tree.program("/p/bin/old", |elf| {
        elf.needed = strings(&["libb.so"]);
        elf.rpath = Some("$ORIGIN/../lib".to_owned());
    });
    tree.library("/p/lib/libb.so", |elf| elf.needed = strings(&["libc.so"]));
    tree.library("/p/lib/libc.so", |_| {});
    tree.library("/p/lib/libd.so", |elf| {
        elf.needed = strings(&["libe.so"]);
        runpath(elf, "$ORIGIN/text");
    });
    tree.plain("/p/lib/text/libe.so", &[b' '; 80]);
    check(
        &tree,
        &[
            ("dependency-missing", Error, "/p/lib/liba.so"),
            ("unusable-file-taken", Error, "/p/lib/libd.so"),
            ("old-style-rpath", Warning, "/p/bin/old"),
            ("dependency-missing", Warning, "/p/lib/libb.so"),
        ],
    );
}

#[test]
fn names_that_are_opened_must_be_provided() {
    let mut tree = good();
    tree.library("/p/lib/libnvrtc.so.12", |elf| {
        elf.opened_names = opened(&["libnvrtc-builtins.so.12.9"]);
    });
    tree.library("/p/lib/libcublasLt.so.12", |elf| {
        elf.opened_names = opened(&["libnvrtc.so.12"])
    });
    // One of several names suffices, and plug-ins are welcome but not needed.
    tree.library("/p/lib/libcufft.so.11", |elf| {
        elf.opened_names = opened(&["libnvrtc.so", "libnvrtc.so.12"]);
        runpath(elf, "$ORIGIN");
    });
    tree.library("/p/lib/libnccl.so.2", |elf| {
        elf.opened_names = opened(&["libibverbs.so.1"])
    });
    tree.library("/p/lib/libown.so", |elf| {
        elf.opened_names = opened(&[
            "libcusolver.so.11",
            "libplugin.so",
            "libother.so",
            "libown.so.1",
            "/usr/lib/libx.so.1",
            "/part/libx.so",
        ]);
    });
    check(
        &tree,
        &[
            ("opened-name-missing", Error, "/p/lib/libnvrtc.so.12"),
            ("opened-name-missing", Warning, "/p/lib/libcublasLt.so.12"),
            ("opened-name-missing", Warning, "/p/lib/libown.so"),
            ("opened-name-missing", Note, "/p/lib/libown.so"),
            ("absolute-name-opened", Note, "/p/lib/libown.so"),
        ],
    );
    let found = ask(&tree, &Question::default());
    let cause = &found[1].cause;
    assert!(cause.ends_with("libnvrtc.so.12` is there, but no search path of the file that opens it leads to it, and RUNPATH is not inherited"), "{cause}");
}

#[test]
fn versions_of_symbols_must_be_in_the_file_that_is_taken() {
    let mut tree = good();
    tree.library("/p/lib/libnew.so", |elf| {
        elf.needed = strings(&["libstdc++.so.6"]);
        elf.needed_versions = vec![needed_versions(
            "libstdc++.so.6",
            &["GLIBCXX_3.4.29", "GLIBCXX_3.4.32"],
        )];
        runpath(elf, "$ORIGIN");
    });
    tree.library("/p/lib/libweak.so", |elf| {
        elf.needed = strings(&["libstdc++.so.6"]);
        elf.needed_versions = vec![needed_versions("libstdc++.so.6", &["GLIBCXX_3.4.32"])];
        elf.needed_versions[0].weak = strings(&["GLIBCXX_3.4.32"]);
        runpath(elf, "$ORIGIN");
    });
    check(
        &tree,
        &[("symbol-version-missing", Error, "/p/lib/libnew.so")],
    );
    let found = ask(&tree, &Question::default());
    assert_eq!(
        found[0].message,
        "needs `GLIBCXX_3.4.32` of `libstdc++.so.6`, which the file that is taken lacks"
    );
    assert!(found[0].cause.contains("GCC 13.2"), "{}", found[0].cause);
}

#[test]
fn symbols_of_the_driver_need_the_driver() {
    let mut tree = good();
    tree.library("/p/lib/libluck.so", |elf| {
        elf.driver_symbols = strings(&["cuMemCreate"]);
        elf.needed = strings(&["libmagma.so"]);
        runpath(elf, "$ORIGIN");
    });
    tree.library("/p/lib/libnone.so", |elf| {
        elf.driver_symbols = strings(&["cuInit", "nvmlInit_v2"])
    });
    check(
        &tree,
        &[
            ("driver-symbols-unlinked", Error, "/p/lib/libnone.so"),
            ("driver-symbols-unlinked", Error, "/p/lib/libnone.so"),
            ("driver-symbols-unlinked", Warning, "/p/lib/libluck.so"),
        ],
    );
}

#[test]
fn executable_stacks_are_refused() {
    let mut tree = good();
    tree.library("/p/lib/libx.so", |elf| {
        elf.executable_stack = ExecutableStack::Yes
    });
    check(&tree, &[("executable-stack", Warning, "/p/lib/libx.so")]);
}

#[test]
fn major_versions_do_not_mix() {
    let mut tree = good();
    tree.library("/p/lib/libcufft.so.12", |_| {});
    check(
        &tree,
        &[("cuda-majors-mixed", Warning, "/p/lib/libcublas.so.12")],
    );
    tree.library("/p/lib/libboth.so", |elf| {
        elf.needed = strings(&["libcufft.so.12", "libcublas.so.12"]);
        runpath(elf, "$ORIGIN");
    });
    check(&tree, &[("cuda-majors-mixed", Error, "/p/lib/libboth.so")]);
    // A SONAME of several majors decides nothing.
    let mut tree = good();
    tree.library("/p/lib/libcusolver.so.11", |_| {});
    tree.library("/p/lib/libcurand.so.10", |_| {});
    check(&tree, &[]);
}

#[test]
fn two_files_of_one_soname_exclude_one_another() {
    let mut tree = good();
    tree.library("/p/old/libnccl.so.2", |_| {});
    tree.library("/p/new/libnccl.so.2", |_| {});
    tree.library("/p/new/stubs/libnccl.so.2", |_| {});
    tree.library("/p/new/glibc-hwcaps/x86-64-v3/libnccl.so.2", |_| {});
    let stubs = ("stubs-in-closure", Warning, "/p/new/stubs/libnccl.so.2");
    check(
        &tree,
        &[("soname-twice", Warning, "/p/new/libnccl.so.2"), stubs],
    );
    for (user, path) in [("/p/lib/libu.so", "/p/old"), ("/p/lib/libv.so", "/p/new")] {
        tree.library(user, |elf| {
            elf.needed = strings(&["libnccl.so.2"]);
            runpath(elf, path);
        });
    }
    tree.library("/p/lib/libw.so", |elf| {
        elf.needed = strings(&["libu.so", "libv.so"]);
        runpath(elf, "$ORIGIN");
    });
    check(
        &tree,
        &[("soname-twice", Error, "/p/new/libnccl.so.2"), stubs],
    );
}

#[test]
fn parts_of_cudnn_are_of_one_version() {
    let mut tree = Tree::new();
    let part = |tree: &mut Tree, name: &str, version: &str, needed: &[&str]| {
        tree.library(&format!("/p/lib/{name}.so.{version}"), |elf| {
            elf.soname = Some(format!("{name}.so.9"));
            elf.needed = strings(needed);
            runpath(elf, "$ORIGIN");
        });
        tree.link(
            &format!("/p/lib/{name}.so.9"),
            &format!("{name}.so.{version}"),
        );
    };
    part(&mut tree, "libcudnn_graph", "9.10.2", &[]);
    part(
        &mut tree,
        "libcudnn_cnn",
        "9.10.2",
        &["libcudnn_graph.so.9"],
    );
    check(&tree, &[]);
    part(
        &mut tree,
        "libcudnn_ops",
        "9.11.0",
        &["libcudnn_graph.so.9"],
    );
    check(
        &tree,
        &[(
            "cudnn-versions-mixed",
            Error,
            "/p/lib/libcudnn_ops.so.9.11.0",
        )],
    );
}

#[test]
fn closures_hold_what_is_used() {
    let mut tree = good();
    tree.file(
        "/p/lib/libcudart_static.a",
        FileKind::Archive,
        Machine::X86_64,
        |_| {},
    );
    tree.library("/p/lib/stubs/libcuda.so", |elf| {
        elf.soname = Some("libcuda.so.1".to_owned())
    });
    for name in ["libcudart.so.12", "libcusparse.so.12"] {
        tree.library(&format!("/p/lib/{name}"), |_| {});
    }
    let rest = [
        ("static-libraries", Warning, "/p/lib/libcudart_static.a"),
        ("stubs-in-closure", Warning, "/p/lib/stubs/libcuda.so"),
    ];
    check(&tree, &rest);
    tree.program("/p/bin/nvcc", |_| {});
    check(
        &tree,
        &[("toolkit-monolith", Warning, "/p"), rest[0], rest[1]],
    );
}
