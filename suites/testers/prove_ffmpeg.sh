#!/bin/sh
# Video through NVENC, NVDEC and CUDA filters, compared frame by frame, by their MD5, with what the processor makes of it.
#
# Lossless encoding gives back the very frames. Decoding H.264 and HEVC is defined to the last bit, so that the device's
# decoder and the processor's must agree. Scaling a picture to half whose pixels come in fours gives one of the four.
# Nothing but the shell's own commands is used beside ffmpeg: a store has no others.
#
#     prove_ffmpeg.sh FFMPEG DIRECTORY
#
# CUDACHECK_TEST_DEVICE=cpu takes software in the device's place, to test this script. It then proves nothing of a GPU.

ffmpeg=$1
directory=$2
count=0
failed=0
frames=25

software=$("$ffmpeg" -hide_banner -version 2>&1) || { echo "Bail out! $ffmpeg does not run"; exit 1; }
encoders=$("$ffmpeg" -hide_banner -encoders 2>/dev/null)
decoders=$("$ffmpeg" -hide_banner -decoders 2>/dev/null)
filters=$("$ffmpeg" -hide_banner -filters 2>/dev/null)

echo 'TAP version 14'
echo "# ${software%%
*}"
if [ "$CUDACHECK_TEST_DEVICE" = cpu ]; then
    echo '# CUDACHECK_TEST_DEVICE=cpu: NOTHING HERE IS ABOUT A GPU'
fi

# What stands for the device.
if [ "$CUDACHECK_TEST_DEVICE" = cpu ]; then
    upload=null download=null scale='scale=flags=neighbor:size' overlay=overlay setup=
    accelerated=
else
    upload=hwupload_cuda download='hwdownload,format=yuv420p' scale='scale_cuda=interp_algo=nearest:format=yuv420p'
    overlay=overlay_cuda
    setup='-init_hw_device cuda=device -filter_hw_device device'
    accelerated='-hwaccel cuda -hwaccel_output_format cuda'
fi

source="testsrc2=size=640x352:rate=25,trim=end_frame=$frames,format=yuv420p"
small="testsrc2=size=320x176:rate=25,trim=end_frame=$frames,format=yuv420p"

# has LIST NAME: whether the build has it.
has() {
    case $1 in *" $2 "*) return 0 ;; *) return 1 ;; esac
}

# frames_of ARGUMENT...: the MD5 of every frame, one a line. What ffmpeg says goes to the file `said`.
frames_of() {
    # shellcheck disable=SC2086
    "$ffmpeg" -hide_banner -nostdin -loglevel error "$@" -f framemd5 - 2>"$directory/said" |
        while IFS= read -r line; do
            case $line in '#'*) ;; *) echo "${line##* }" ;; esac
        done
}

# encode ARGUMENT...: leaves what ffmpeg says in `said`.
encode() {
    "$ffmpeg" -hide_banner -nostdin -loglevel error -y "$@" 2>"$directory/said"
}

result() {
    count=$((count + 1))
    echo "$1 $count - $2"
}

said() {
    number=0
    while IFS= read -r line && [ $number -lt 8 ]; do
        echo "# $line"
        number=$((number + 1))
    done <"$directory/said"
}

skip() { result ok "$1 # SKIP $2"; }

fail() {
    result 'not ok' "$1"
    failed=1
    echo '  ---'
    echo "  message: \"$2\""
    echo '  ...'
    said
}

# same NAME FOUND EXPECTED: all frames are there, and equal.
same() {
    number=0
    for frame in $3; do number=$((number + 1)); done
    if [ $number -ne $frames ]; then
        fail "$1" "the reference has $number frames, not $frames"
        return
    fi
    if [ "$2" = "$3" ]; then
        result ok "$1"
        return
    fi
    found=0 wrong=0
    rest=$3
    for frame in $2; do
        found=$((found + 1))
        [ "$frame" = "${rest%%
*}" ] || wrong=$((wrong + 1))
        rest=${rest#*
}
    done
    if [ $found -eq 0 ]; then
        fail "$1" 'no frame came'
        return
    fi
    fail "$1" "$found frames of $frames came, and $wrong of them differ"
}

# Whether a device without this engine is the reason: H100 and A100 have no encoder, for one.
without_engine() {
    while IFS= read -r line; do
        case $line in *'unsupported device'* | *'Codec not supported'* | *'No such device type'*) return 0 ;; esac
    done <"$directory/said"
    return 1
}

# lossless CODEC ENCODER OPTIONS...
lossless() {
    codec=$1 encoder=$2
    shift 2
    name="lossless-$codec: every frame comes back from $encoder as it went"
    if ! has "$encoders" "$encoder"; then skip "$name" "this ffmpeg is built without $encoder"; return; fi
    file="$directory/lossless-$codec.mkv"
    # shellcheck disable=SC2086
    if ! encode -f lavfi -i "$source" -c:v "$encoder" "$@" "$file"; then
        if without_engine; then skip "$name" 'this device has no such encoder'; else fail "$name" 'it does not encode'; fi
        return
    fi
    same "$name" "$(frames_of -c:v "$codec" -i "$file" -pix_fmt yuv420p)" "$reference"
}

reference=$(frames_of -f lavfi -i "$source")

if [ "$CUDACHECK_TEST_DEVICE" = cpu ]; then
    lossless h264 libx264 -qp 0
    lossless hevc libx265 -x265-params lossless=1:log-level=none
else
    lossless h264 h264_nvenc -preset p4 -tune lossless
    lossless hevc hevc_nvenc -preset p4 -tune lossless
fi

# A stream that every decoder must decode to the same bits: by the device's encoder, or by a software one.
stream() {
    for encoder in "$1_nvenc" "$2"; do
        file="$directory/stream-$1.mkv"
        has "$encoders" "$encoder" || continue
        encode -f lavfi -i "$source" -c:v "$encoder" -b:v 1M -g 10 -bf 0 "$file" && return 0
    done
    return 1
}

# decoding CODEC SOFTWARE
decoding() {
    codec=$1
    name="decoding-$codec: the device's decoder and the processor's agree on every bit"
    direct="decoding-$codec-in-memory: frames that stay on the device until they are fetched agree as well"
    if ! stream "$codec" "$2"; then
        skip "$name" "this ffmpeg has no encoder for $codec that works here"
        skip "$direct" "this ffmpeg has no encoder for $codec that works here"
        return
    fi
    expected=$(frames_of -c:v "$codec" -i "$directory/stream-$codec.mkv" -pix_fmt yuv420p)
    decoder=${codec}_cuvid
    [ "$CUDACHECK_TEST_DEVICE" = cpu ] && decoder=$codec
    if has "$decoders" "$decoder"; then
        same "$name" "$(frames_of -c:v "$decoder" -i "$directory/stream-$codec.mkv" -pix_fmt yuv420p)" "$expected"
    else
        skip "$name" "this ffmpeg is built without $decoder"
    fi
    # shellcheck disable=SC2086
    found=$(frames_of $accelerated -c:v "$codec" -i "$directory/stream-$codec.mkv" -vf "${accelerated:+hwdownload,format=nv12,}format=yuv420p")
    same "$direct" "$found" "$expected"
}

decoding h264 libx264
decoding hevc libx265

# filtered NAME FILTER SOURCE-GRAPH GRAPH EXPECTED
filtered() {
    if ! has "$filters" "$2"; then skip "$1" "this ffmpeg is built without $2"; return; fi
    # shellcheck disable=SC2086
    same "$1" "$(frames_of $setup -filter_complex "$3" -map '[out]')" "$4"
}

filtered 'copies: frames come back from the device as they went' "${upload%%[=,]*}" \
    "$source,$upload,${download}[out]" "$reference"

filtered 'scaling: a picture whose pixels come in fours is halved to one of each four' "${scale%%[=,]*}" \
    "$small,scale=640:352:flags=neighbor,$upload,${scale%:size}${scale:+:}w=320:h=176,${download}[out]" \
    "$(frames_of -f lavfi -i "$small")"

filtered 'overlay: a picture that covers another leaves nothing of it' "$overlay" \
    "color=red:size=640x352:rate=25,trim=end_frame=$frames,format=yuv420p,${upload}[under];$source,${upload}[over];[under][over]$overlay,${download}[out]" \
    "$reference"

echo "1..$count"
exit $failed
