//! What testers print, whole, torn, and hostile.

use proptest::prelude::*;

use super::*;

/// A reading in lines: `pass name`, `fail name: message`, `skip name: because`, and what is doubted.
fn told(reading: &Reading) -> String {
    let mut lines: Vec<String> = reading.parts.iter().map(part).collect();
    lines.extend(reading.incomplete.iter().map(|it| format!("doubt {it}")));
    lines.extend(reading.bailed.iter().map(|it| format!("bail {it}")));
    lines.extend(reading.skipped.iter().map(|it| format!("skip all: {it}")));
    lines.extend(
        reading
            .unfinished
            .iter()
            .map(|it| format!("unfinished {it}")),
    );
    lines.join("\n")
}

fn part(part: &Part) -> String {
    let time = part
        .duration_ms
        .map(|it| format!(" in {it}"))
        .unwrap_or_default();
    match &part.outcome {
        PartOutcome::Pass => format!("pass {}{time}", part.name),
        PartOutcome::Fail { message } => format!("fail {}{time}: {message}", part.name),
        PartOutcome::Skip { because } => format!("skip {}{time}: {because}", part.name),
    }
}

#[track_caller]
fn check(format: TesterFormat, printed: &str, results: Option<&str>, expected: &str) {
    let words = Words {
        printed: printed.as_bytes(),
        results: results.map(str::as_bytes),
    };
    assert_eq!(told(&read(format, words)), expected);
}

const GOOGLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" disabled="1" errors="0" time="0.035" name="AllTests">
  <testsuite name="ARITHM/Add" tests="3" failures="1" disabled="1" skipped="1" errors="0">
    <testcase name="Accuracy/0" value_param="(H100, 113x113)" file="a.cpp" line="1" status="run" result="completed" time="0.012" classname="ARITHM/Add" />
    <testcase name="Accuracy/1" value_param="(H100, 128x128)" status="run" result="completed" time="0.5" classname="ARITHM/Add">
      <failure message="a.cpp:7&#x0A;Expected equality&#x0A;" type=""><![CDATA[a.cpp:7
Expected equality
  1 <> 2 & 3]]></failure>
    </testcase>
    <testcase name="DISABLED_Slow" status="notrun" result="suppressed" time="0" classname="ARITHM/Add" />
  </testsuite>
  <testsuite name="Other">
    <testcase name="Skips" status="run" result="skipped" classname="Other"><skipped message="b.cpp:9&#x0A;no FP16"/></testcase>
    <testcase name="Old" status="run" time="0.001" classname="Other" />
  </testsuite>
</testsuites>
"#;

#[test]
fn the_xml_of_googletest_is_read() {
    check(
        TesterFormat::Gtest,
        "",
        Some(GOOGLE),
        "pass ARITHM/Add.Accuracy/0 in 12\n\
         fail ARITHM/Add.Accuracy/1 in 500: a.cpp:7 Expected equality\n\
         skip ARITHM/Add.DISABLED_Slow in 0: the tester has it disabled\n\
         skip Other.Skips: b.cpp:9 no FP16\n\
         pass Other.Old in 1",
    );
    let reading = read(
        TesterFormat::Gtest,
        Words {
            printed: b"",
            results: Some(GOOGLE.as_bytes()),
        },
    );
    assert_eq!(
        reading.parts[1].output,
        "parameter: (H100, 128x128)\na.cpp:7\nExpected equality\n  1 <> 2 & 3"
    );
}

#[test]
fn a_test_that_opencv_skips_has_not_passed() {
    check(
        TesterFormat::Gtest,
        "[ RUN      ] Other.Old\n[     SKIP ] Need FP16\n[       OK ] Other.Old (1 ms)\n",
        Some(
            r#"<testsuites><testsuite><testcase name="Old" classname="Other" status="run"/></testsuite></testsuites>"#,
        ),
        "skip Other.Old: Need FP16",
    );
}

#[test]
fn the_lines_of_googletest_tell_what_a_crash_left() {
    check(
        TesterFormat::Gtest,
        "[==========] Running 4 tests from 1 test suite.\n\
         [ RUN      ] A.b\n\
         [       OK ] A.b (3 ms)\n\
         [ RUN      ] A.bc\n\
         x.cpp:7: Failure\n\
         noise without an end[  FAILED  ] A.bc, where GetParam() = 3 (0 ms)\n\
         [ RUN      ] A.d\n\
         no hardware\n\
         [  SKIPPED ] A.d (0 ms)\n\
         [  FAILED  ] A.bc\n\
         [ RUN      ] A.e\n\
         [       OK ] A.elsewhere (1 ms)\n",
        None,
        "pass A.b in 3\n\
         fail A.bc in 0: x.cpp:7: Failure noise without an end\n\
         skip A.d in 0: no hardware\n\
         doubt it wrote no XML; these results are from what it printed\n\
         unfinished A.e",
    );
}

#[test]
fn junit_is_read_as_pytest_writes_it() {
    check(
        TesterFormat::Junit,
        "",
        Some(
            r#"<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5" time="0.1">
            <testcase classname="test_a.TestB" name="test_c[1]" time="0.001"/>
            <testcase classname="test_a" name="test_d" time="1,000.5"><failure message="assert 1 == 2">def test_d(): &gt; assert &#49; == 2
E  assert</failure><system-out>out</system-out></testcase>
            <testcase classname="" name="broken"><error message="">ImportError: libx.so.1: cannot open shared object file</error></testcase>
            <testcase classname="test_a" name="test_e"><skipped type="pytest.skip" message="no GPU">f.py:3: no GPU</skipped></testcase>
            <testcase classname="test_a" name="test_e"><properties><property name="failure" value="1"/></properties></testcase>
            </testsuite></testsuites>"#,
        ),
        "pass test_a.TestB::test_c[1] in 1\n\
         fail test_a::test_d in 1000500: assert 1 == 2\n\
         fail broken: ImportError: libx.so.1: cannot open shared object file\n\
         skip test_a::test_e: no GPU\n\
         pass test_a::test_e (2)",
    );
    check(
        TesterFormat::Junit,
        "ok 1\n",
        None,
        "doubt it wrote no file of results",
    );
}

#[test]
fn torn_xml_is_read_up_to_where_it_ends() {
    check(
        TesterFormat::Junit,
        "",
        Some(r#"<testsuites><testsuite><testcase name="a"/><testcase name="b"><fail"#),
        "pass a\n\
         doubt the file of results cannot be read beyond byte 62: syntax error: tag not closed: `>` not found before end of input\n\
         unfinished b",
    );
    check(
        TesterFormat::Junit,
        "",
        Some(r#"<testsuites><testcase name="a"></testcase>"#),
        "pass a\ndoubt the file of results ends in the middle",
    );
    check(
        TesterFormat::Junit,
        "",
        Some(""),
        "doubt the file of results holds no XML",
    );
    check(
        TesterFormat::Junit,
        "",
        Some("PASSED"),
        "doubt the file of results holds no XML",
    );
}

#[test]
fn entities_are_not_expanded() {
    check(
        TesterFormat::Junit,
        "",
        Some(
            r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><r><testcase name="&lt;n&#38;"><failure>1 &b; &gt; 2</failure></testcase></r>"#,
        ),
        "fail <n&: 1  > 2",
    );
}

#[test]
fn tap_is_read() {
    check(
        TesterFormat::Tap,
        "TAP version 14\n\
         # a comment before all\n\
         1..7\n\
         ok 1 - first\n\
         not ok 2 - second\n  ---\n  message: \"3 of 5 elements differ\"\n  duration_ms: 12.5\n  at: x\n  ...\n\
         ok 3 - third # SKIP no tensor cores\n\
         not ok 4 - fourth # TODO the driver's fault\n\
         ok\n\
         warning: printed by a library\n\
         \x20   ok 1 - a subtest\n\
         not ok 6 - issue \\#7 # of many\n\
         # got 1\n\
         OK 9 is no result\n\
         ok 7 seven#todo later\n",
        None,
        "pass first\n\
         fail second in 13: 3 of 5 elements differ\n\
         skip third: no tensor cores\n\
         skip fourth: a failure that the tester expects: the driver's fault\n\
         pass test 5\n\
         fail issue #7 # of many: got 1\n\
         pass seven",
    );
}

#[test]
fn a_tester_that_breaks_its_plan_is_not_believed() {
    let plan = |printed: &str, expected: &str| check(TesterFormat::Tap, printed, None, expected);
    plan(
        "1..3\nok 1 - a\nok 2 - b\n",
        "pass a\npass b\ndoubt its plan has 3 results, and 2 came",
    );
    plan(
        "ok 1 - a\n",
        "pass a\ndoubt it printed no plan (`1..N`), so nobody knows how many there are",
    );
    plan(
        "ok 2 - a\nok 2 - b\n1..2\n",
        "pass a\npass b\ndoubt the numbers of its results are not in order",
    );
    plan(
        "",
        "doubt it printed no plan (`1..N`), so nobody knows how many there are",
    );
    plan(
        "1..0 # SKIP no module named torch\n",
        "skip all: no module named torch",
    );
    plan("1..0\n", "");
    plan(
        "1..2\nok 1 - a\nBail out! the device is gone\nok 2 - b\n",
        "pass a\nbail the device is gone",
    );
    plan(
        "1..1\n1..1\nok 1\n",
        "pass test 1\ndoubt it printed two plans",
    );
    plan(
        "1..9x\n",
        "doubt it printed no plan (`1..N`), so nobody knows how many there are",
    );
}

#[test]
fn the_tables_of_magma_are_read() {
    check(
        TesterFormat::Magma,
        "% MAGMA 2.9.0 svn 32-bit magma_int_t, 64-bit pointer.\n\
         % CUDA runtime 12080, driver 12080. OpenMP threads 16. \n\
         % device 0: NVIDIA H100, 1980.0 MHz clock, 81079.6 MiB memory, capability 9.0\n\
         % transA = No transpose, transB = No transpose\n\
         %   M     N     K   MAGMA Gflop/s (ms)  cuBLAS Gflop/s (ms)   CPU Gflop/s (ms)  MAGMA error  cuBLAS error\n\
         %========================================================================================================\n\
         \x20 128   128   128      0.15 (   0.03)       0.27 (   0.02)     ---   (  ---  )    8.88e-16        ---    ok\n\
         \x201024  1024  1024      9.15 (   0.03)       0.27 (   0.02)     ---   (  ---  )    8.88e-02        ---    failed\n",
        None,
        "pass M=128 N=128 K=128\n\
         fail M=1024 N=1024 K=1024: 1024 1024 1024 9.15 ( 0.03) 0.27 ( 0.02) --- ( --- ) 8.88e-02 --- failed",
    );
    check(
        TesterFormat::Magma,
        "%   M     N   norm   CPU GByte/s (ms)    GPU GByte/s (ms)        error               nan      inf\n\
         \x20 128   128      M      1.00 (   0.10)     2.00 (   0.10)     0.00e+00   ok           ok       ok\n\
         \x20 128   128      I      1.00 (   0.10)     2.00 (   0.10)     0.00e+00   ok           ok*  failed \n\
         %   N   CPU Time (sec)   GPU Time (sec)   |W_magma - W_lapack| / |W_lapack|\n\
         \x20 128     ---               0.08\n\
         \x20       | A * VR - VR * W |   / (n |A|) = 5.23e-17   ok\n\
         \x20       W  (full) == W  (partial, W only)           ok\n\
         \x20 128     ---               0.08\n\
         magma_dgeev returned error -113: cannot allocate memory on GPU device.\n\
         CUDA runtime error: no kernel image is available for execution on the device (209) in f at x.cpp:1\n",
        None,
        "pass M=128 N=128 norm=M\n\
         fail M=128 N=128 norm=I: 128 128 I 1.00 ( 0.10) 2.00 ( 0.10) 0.00e+00 ok ok* failed\n\
         pass N=128: | A * VR - VR * W | / (n |A|)\n\
         pass N=128: W (full) == W (partial, W only)\n\
         doubt it printed: CUDA runtime error: no kernel image is available for execution on the device (209) in f at x.cpp:1",
    );
    check(TesterFormat::Magma, "ok\nfailed\nUsage: x\n", None, "");
}

#[test]
fn results_are_bounded_and_have_names_of_their_own() {
    let mut collector = Collector::default();
    let long = "x".repeat(10_000);
    for _ in 0..3 {
        let message = long.clone();
        collector.take("same", PartOutcome::Fail { message }, &long.repeat(3), None);
    }
    collector.take("same (2)", PartOutcome::Pass, "", None);
    collector.take(" \n ", PartOutcome::Pass, "", None);
    collector.take(&long, PartOutcome::Pass, "", None);
    let reading = collector.finish();
    let names: Vec<&str> = reading
        .parts
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(
        names[..5],
        ["same", "same (2)", "same (3)", "same (2) (2)", "unnamed"]
    );
    assert_eq!(
        (names[5].len(), reading.parts[0].output.len()),
        (NAME, OUTPUT)
    );

    let many = "ok\n".repeat(MOST + 7);
    let reading = read(
        TesterFormat::Tap,
        Words {
            printed: format!("1..{}\n{many}", MOST + 7).as_bytes(),
            results: None,
        },
    );
    assert_eq!(reading.parts.len(), MOST);
    assert_eq!(reading.incomplete, ["7 results beyond 50000 are not kept"]);
}

#[test]
fn times_are_milliseconds() {
    #[track_caller]
    fn check(seconds: &str, expected: Option<u64>) {
        assert_eq!(milliseconds(seconds), expected);
    }
    check("0.0125", Some(13));
    check("1,234.5", Some(1_234_500));
    check("-1", None);
    check("nan", None);
    check("1e300", None);
    check("", None);
}

#[test]
fn what_real_testers_write_is_understood() {
    #[track_caller]
    fn check(name: &str, format: TesterFormat, printed: &str, results: Option<&str>) {
        let words = Words {
            printed: printed.as_bytes(),
            results: results.map(str::as_bytes),
        };
        insta::assert_snapshot!(name, told(&read(format, words)));
    }
    let google = include_str!("real/google.xml");
    check("google", TesterFormat::Gtest, "", Some(google));
    let crash = include_str!("real/google-crash.txt");
    check("google-crash", TesterFormat::Gtest, crash, None);
    let pytest = include_str!("real/pytest.xml");
    check("pytest", TesterFormat::Junit, "", Some(pytest));
    check(
        "perl",
        TesterFormat::Tap,
        include_str!("real/perl.txt"),
        None,
    );
    check(
        "node",
        TesterFormat::Tap,
        include_str!("real/node.txt"),
        None,
    );
}

const FORMATS: [TesterFormat; 5] = [
    TesterFormat::Gtest,
    TesterFormat::Junit,
    TesterFormat::Tap,
    TesterFormat::Magma,
    TesterFormat::ExitCode,
];

proptest! {
    #[test]
    fn no_bytes_panic(printed in prop::collection::vec(any::<u8>(), 0..300), results in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            let words = Words { printed: &printed, results: Some(&results) };
            let again = read(format, words);
            prop_assert_eq!(read(format, words), again);
        }
    }

    #[test]
    fn no_damage_to_a_document_panics(place in 0usize..1700, byte in any::<u8>(), cut in 0usize..1700) {
        let mut bytes = GOOGLE.as_bytes().to_vec();
        let place = place % bytes.len();
        bytes[place] = byte;
        bytes.truncate(cut.max(1));
        for format in [TesterFormat::Gtest, TesterFormat::Junit] {
            let reading = read(format, Words { printed: b"", results: Some(&bytes) });
            prop_assert!(reading.parts.len() <= 6);
        }
    }

    #[test]
    fn words_of_the_formats_in_any_order_do_not_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "ok", "not ok", "1..", "0", "7", "\n", " ", "#", "SKIP", "  ---\n", "  ...\n", "Bail out!", "\\", "failed",
                "[ RUN      ] a", "[       OK ] a", "[  FAILED  ] ", "(3 ms)", "%  M N", "128", "=", "é", "<testcase", ">", "&#x", "]]>",
            ]),
            0..60,
        )
    ) {
        let text = words.concat();
        for format in FORMATS {
            let words = Words { printed: text.as_bytes(), results: Some(text.as_bytes()) };
            let reading = read(format, words);
            let mut names: Vec<_> = reading.parts.iter().map(|part| &part.name).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), count);
        }
    }
}
