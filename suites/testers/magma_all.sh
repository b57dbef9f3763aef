#!/bin/sh
# Runs every testing_* program beside the one that is named, and makes one result of each.
#
# A program passes if it ends with 0, prints at least one line that ends in `ok`, and none that ends in `failed`. Those
# that the suite excludes are not run: the suite says why. Nothing but the shell's own commands is used.
#
#     magma_all.sh PROGRAM DIRECTORY [ARGUMENT...]

program=$1
directory=$2
shift 2
count=0
failed=0

# excluded NAME: whether a pattern of the suite fits it. They come as lines.
excluded() {
    rest=$CUDACHECK_EXCLUDE
    while [ -n "$rest" ]; do
        pattern=${rest%%
*}
        case $rest in
            *"
"*) rest=${rest#*
} ;;
            *) rest= ;;
        esac
        # shellcheck disable=SC2254
        case $1 in $pattern) return 0 ;; esac
    done
    return 1
}

echo 'TAP version 14'
for tester in "${program%/*}"/testing_*; do
    name=${tester##*/}
    case $name in *.py | *.sh) continue ;; esac
    [ -x "$tester" ] || continue
    count=$((count + 1))
    if excluded "$name"; then
        echo "ok $count - $name # SKIP the suite excludes it"
        continue
    fi
    "$tester" "$@" >"$directory/said" 2>&1 </dev/null
    code=$?
    good=0 bad=0 first=
    while IFS= read -r line; do
        # Words only: the columns between them change from version to version.
        case " $line " in
            *' failed '*) bad=$((bad + 1)) && first=${first:-$line} ;;
            *' ok '*) good=$((good + 1)) ;;
            *'CUDA runtime error'* | *'memory mapping error'*) bad=$((bad + 1)) && first=${first:-$line} ;;
        esac
    done <"$directory/said"
    if [ $code -eq 0 ] && [ $bad -eq 0 ] && [ $good -gt 0 ]; then
        echo "ok $count - $name"
        continue
    fi
    if [ $code -eq 0 ] && [ $bad -eq 0 ]; then
        echo "ok $count - $name # SKIP it ends well and judges nothing"
        continue
    fi
    failed=1
    echo "not ok $count - $name"
    echo '  ---'
    echo "  message: code $code, $good ok, $bad failed: $first"
    echo '  ...'
    number=0
    while IFS= read -r line && [ $number -lt 40 ]; do
        echo "# $line"
        number=$((number + 1))
    done <"$directory/said"
done
echo "1..$count"
exit $failed
