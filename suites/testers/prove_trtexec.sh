#!/bin/sh
# A network of one convolution and a rectifier through trtexec: built for this device, run on it, and every one of its
# 40 results compared. Weights, bias, and input are small integers, so that the results are exact in every precision
# that a builder may choose.
#
# The network is written here, byte by byte: an ONNX file of 252 bytes. Nothing but the shell's own commands is used.
#
#     prove_trtexec.sh TRTEXEC DIRECTORY

trtexec=$1
directory=$2

# Conv (1 channel to 2, 3 x 3) and Relu, x: 1 x 1 x 6 x 7, y: 1 x 2 x 4 x 5; ONNX IR 8, operators 13.
model() {
    printf '\010\010\022\011\143\165\144\141\143\150\145\143\153\072\346\001\012\051\012\001\170\012\001\167\012\001\142\022'
    printf '\001\143\042\004\103\157\156\166\052\025\012\014\153\145\162\156\145\154\137\163\150\141\160\145\100\003\100\003'
    printf '\240\001\007\012\014\012\001\143\022\001\171\042\004\122\145\154\165\022\005\145\170\141\143\164\052\127\010\002'
    printf '\010\001\010\003\010\003\020\001\102\001\167\112\110\000\000\200\077\000\000\000\300\000\000\100\100\000\000\000'
    printf '\000\000\000\200\100\000\000\200\277\000\000\000\100\000\000\100\300\000\000\200\077\000\000\200\277\000\000\000'
    printf '\000\000\000\000\100\000\000\100\100\000\000\000\300\000\000\200\077\000\000\000\000\000\000\200\077\000\000\200'
    printf '\300\052\021\010\002\020\001\102\001\142\112\010\000\000\240\100\000\000\340\300\132\033\012\001\170\022\026\012'
    printf '\024\010\001\022\020\012\002\010\001\012\002\010\001\012\002\010\006\012\002\010\007\142\033\012\001\171\022\026'
    printf '\012\024\010\001\022\020\012\002\010\001\012\002\010\002\012\002\010\004\012\002\010\005\102\004\012\000\020\015'
}

# x: (37 i + 11) mod 41 - 20, as 32-bit floats.
input() {
    printf '\000\000\020\301\000\000\120\301\000\000\210\301\000\000\240\101\000\000\200\101\000\000\100\101\000\000\000\101'
    printf '\000\000\200\100\000\000\000\000\000\000\200\300\000\000\000\301\000\000\100\301\000\000\200\301\000\000\240\301'
    printf '\000\000\210\101\000\000\120\101\000\000\020\101\000\000\240\100\000\000\200\077\000\000\100\300\000\000\340\300'
    printf '\000\000\060\301\000\000\160\301\000\000\230\301\000\000\220\101\000\000\140\101\000\000\040\101\000\000\300\100'
    printf '\000\000\000\100\000\000\000\300\000\000\300\300\000\000\040\301\000\000\140\301\000\000\220\301\000\000\230\101'
    printf '\000\000\160\101\000\000\060\101\000\000\340\100\000\000\100\100\000\000\200\277\000\000\240\300\000\000\020\301'
}

expected='0 82 0 1 0 44 65 0 0 0 0 0 69 49 70 0 72 0 0 0 0 35 35 0 0 76 0 0 0 0 0 35 0 76 0 0 35 35 0 35'

model >"$directory/model.onnx"
input >"$directory/x.bin"

echo 'TAP version 14'
echo '1..3'

check() {
    name=$1
    shift
    "$trtexec" --onnx="$directory/model.onnx" --loadInputs="x:$directory/x.bin" --exportOutput="$directory/y.json" \
        --iterations=1 --warmUp=0 --duration=0 "$@" >"$directory/said" 2>&1
    code=$?
    found='' values=0 text=''
    if [ $code -eq 0 ]; then
        while IFS= read -r line || [ -n "$line" ]; do text="$text $line"; done <"$directory/y.json"
        # Everything between the brackets behind the word.
        text=${text#*'"values"'}
        text=${text#*'['}
        text=${text%%']'*}
        old=$IFS
        IFS=', '
        for value in $text; do
            # `35`, `35.0`, and `-0` are what exports of different versions write.
            value=${value%.0}
            [ "$value" = -0 ] && value=0
            found="$found${found:+ }$value"
            values=$((values + 1))
        done
        IFS=$old
    fi
    if [ "$found" = "$expected" ]; then
        echo "ok $number - $name"
        return
    fi
    while IFS= read -r line; do
        # Newer builders take the type from the network alone.
        case $line in
            *'nknown option'*fp16*)
                echo "ok $number - $name # SKIP this trtexec has no --fp16"
                return
                ;;
        esac
    done <"$directory/said"
    failed=1
    echo "not ok $number - $name"
    echo '  ---'
    echo "  message: code $code, $values values of 40: ${found:-none}"
    echo "  expected: $expected"
    echo '  ...'
    lines=0
    while IFS= read -r line; do
        case $line in
            *'[E]'* | *'[W]'* | *rror*)
                [ $lines -lt 30 ] && echo "# $line"
                lines=$((lines + 1))
                ;;
        esac
    done <"$directory/said"
}

failed=0
number=1
check 'f32: each of the 40 results is exact' --noTF32
number=2
check 'tf32: each of the 40 results is exact, since the integers are small'
number=3
check 'f16: each of the 40 results is exact' --fp16
exit $failed
