"""Holds the signatures by which the worker calls libraries against the headers of those libraries.

A wrong signature is undefined behaviour that no compiler sees: a pointer that is not written, a size that is half read.
Each function of each `abi!` table is looked up in the headers as libclang reads them, and its arguments and its value
must be of the same kind (pointer, integer, floating point, structure) and the same size. Numbers that a comment names
after an enumeration or an enumerator of the header must be the header's.

    ci/abi [DIR...]

DIR is a tree of unpacked packages or a toolkit, with `include` directories anywhere in it. Headers of one DIR are read
together, so give each toolkit its own. Without any, the packages that ci/library-stages has unpacked are read, those of
each major version of CUDA together. Exits with 1 if a signature differs in any of them, or if none was found at all.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from clang import cindex

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLES = ROOT / "harness" / "worker" / "src" / "check" / "library"
LIBRARY = ROOT / "harness" / "worker" / "src" / "library" / "ffi.rs"

# The header that declares a library's functions, by the folder of its check.
HEADERS = {
    "cublas": ["cublas_v2.h"],
    "cublaslt": ["cublasLt.h"],
    "cudart": ["cuda_runtime_api.h"],
    "cudnn": ["cudnn.h"],
    "cudss": ["cudss.h"],
    "cufft": ["cufft.h"],
    "cupti": ["cupti.h"],
    "curand": ["curand.h"],
    "cusolver": ["cusolverDn.h"],
    "cusparse": ["cusparse.h"],
    "cutensor": ["cutensor.h"],
    "magma": ["magma_v2.h"],
    "nccl": ["nccl.h", "cuda.h"],
    "npp": ["npp.h"],
    "nvjitlink": ["nvJitLink.h"],
    "nvjpeg": ["nvjpeg.h"],
    "nvrtc": ["nvrtc.h"],
}

# What the runtime's headers take from the compiler's package, which is large: words for a compiler of device code, which
# mean nothing to one of host code.
COMPILER = """#pragma once
#define __host__
#define __device__
#define __global__
#define __shared__
#define __constant__
#define __managed__
#define __forceinline__ inline
#define __no_return__
#define __noinline__
#define __cudart_builtin__
#define __device_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define __thread__ __thread
#define __specialization_static static
#define __launch_bounds__(...)
#define CUDARTAPI
#define CUDARTAPI_CDECL
#define CUDAAPI
#define CUDACB
#define __CUDA_HOSTDEVICE__
"""

# `$int` is the LP64 table of MAGMA, which its headers declare unless they are told otherwise.
PRIMITIVES = {"$int": 4, "i8": 1, "u8": 1, "bool": 1, "c_char": 1, "i16": 2, "u16": 2, "i32": 4, "u32": 4, "c_int": 4, "c_uint": 4,
              "i64": 8, "u64": 8, "usize": 8, "isize": 8}
POINTERS = ("Handle", "DevicePointer", "Words", "In<", "Out<", "&", "*const", "*mut", "Option<", "extern", "unsafe extern")
# What a library declares as an integer where the worker passes an address, and the other way round.
WORDS = {("pointer", 8), ("integer", 8)}


def split(text):
    """The pieces between commas that are not inside of brackets."""
    pieces, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        depth += letter in "(<[{"
        depth -= letter in ")]}" or (letter == ">" and text[index - 1] != "-")
        if letter == "," and depth == 0:
            pieces.append(text[start:index])
            start = index + 1
    pieces.append(text[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def types_of(folder):
    """The types that a folder declares: newtypes, names, and structures, as text."""
    found = {}
    for path in [LIBRARY, *sorted(folder.rglob("*.rs"))]:
        text = re.sub(r"//.*", "", path.read_text())
        for name, inner in re.findall(r"struct (\w+)(?:<[^>]*>)?\((.*?)\);", text):
            first = split(inner)[0]
            found.setdefault(name, re.sub(r"^pub(\([^)]*\))? ", "", first))
        for name in re.findall(r"numbers! \{\s*(\w+) \{", text):
            found.setdefault(name, "i32")
        for name, inner in re.findall(r"type (\w+)(?:<[^>]*>)? = ([^;]+);", text):
            found.setdefault(name, inner.strip())
        for name, inner in re.findall(r"#\[repr\(C[^)]*\)\](?:\s*#\[[^\]]*\])*\s*(?:pub(?:\([^)]*\))? )?struct (\w+)(?:<[^>]*>)? \{(.*?)\n\}", text, re.S):
            fields = [re.sub(r"^(pub(\([^)]*\))? )?\w+: ", "", field) for field in split(inner)]
            found.setdefault(name, ("structure", fields))
        for name, width in re.findall(r"#\[repr\(([iu]\d+)\)\](?:\s*#\[[^\]]*\])*\s*(?:pub(?:\([^)]*\))? )?enum (\w+)", text):
            found.setdefault(width, name)
    return found


def rust(text, types):
    """Kind and size of a Rust type, as C passes it."""
    text = text.strip()
    if text == "()":
        return ("nothing", 0)
    if text.startswith(POINTERS):
        return ("pointer", 8)
    if text in PRIMITIVES:
        return ("integer", PRIMITIVES[text])
    if text in ("f32", "f64"):
        return ("float", 4 if text == "f32" else 8)
    array = re.fullmatch(r"\[(.+); *(\d+)\]", text)
    if array:
        kind, size = rust(array[1], types)
        return (kind, size * int(array[2]))
    name = re.sub(r"<.*", "", text)
    inner = types.get(name)
    if inner is None:
        raise KeyError(text)
    if isinstance(inner, tuple):
        size, widest = 0, 1
        for field in inner[1]:
            part = rust(field, types)[1]
            element = re.fullmatch(r"\[(.+); *(\d+)\]", field)
            align = rust(element[1], types)[1] if element else part
            align = min(align, 8)
            size = (size + align - 1) // align * align + part
            widest = max(widest, align)
        return ("structure", (size + widest - 1) // widest * widest)
    return rust(inner, types)


def tables():
    """Every function of every table: library, symbol, arguments, value."""
    for path in sorted(TABLES.rglob("*.rs")):
        if path.stem != "ffi" and path.parent.name != "ffi":
            continue
        library = path.relative_to(TABLES).parts[0]
        # Libraries that belong together share types; the library's own come first.
        types = types_of(TABLES / library)
        for folder in sorted(it for it in TABLES.iterdir() if it.is_dir()):
            for name, inner in types_of(folder).items():
                types.setdefault(name, inner)
        text = re.sub(r"//.*", "", path.read_text())
        for symbol, arguments, value in re.findall(r'fn \w+ = c?"(\w+)"\s*\((.*?)\)\s*(?:-> ([^;]+))?;', text, re.S):
            texts = [re.sub(r"^\w+\s*:\s*", "", argument) for argument in split(arguments)]
            yield library, symbol, texts, (value or "Status").strip(), types


def constants():
    """Every number that stands for a name of a header: library, what the header calls the type or the constant, our name,
    the number."""
    for path in sorted(TABLES.rglob("*.rs")):
        if path.parent == TABLES:
            continue
        library = path.relative_to(TABLES).parts[0]
        text = path.read_text()
        # A type that is named after one of the header's, with its values.
        for about, body in re.findall(r"/// `(\w+_t)`[^\n]*\n(?:\s*///[^\n]*\n)*\s*\w+ \{([^}]*)\}", text):
            for name, number in re.findall(r"(\w+) = (-?(?:0x)?[0-9a-fA-F_]+)", body):
                yield library, about, name, int(number.replace("_", ""), 0)
        documented = dict((name, about) for about, name in re.findall(
            r"/// `(\w+_t)`[^\n]*\n(?:\s*(?:///|#\[)[^\n]*\n)*\s*(?:pub(?:\([^)]*\))? )?struct (\w+)\(", text))
        for owner, body in re.findall(r"\nimpl (\w+) \{(.*?)\n\}", text, re.S):
            if owner in documented:
                for name, number in re.findall(r"const (\w+): Self = Self\((-?(?:0x)?[0-9a-fA-F_]+)\)", body):
                    yield library, documented[owner], name, int(number.replace("_", ""), 0)
        # A constant that is named after one of the header's.
        for about, name, number in re.findall(
                r"/// `([A-Z][A-Z0-9_]+)`[^\n]*\n(?:\s*///[^\n]*\n)*\s*(?:pub(?:\([^)]*\))? )?const (\w+): \w+ =\s*(?:\w+\()?(-?(?:0x)?[0-9a-fA-F_]+)\)?;", text):
            yield library, about, name, int(number.replace("_", ""), 0)


def judge(about, name, number, enums, values):
    """Whether a number is the header's: true, false, or none where the header has no such name."""
    if about in values:
        return number in values[about]
    members = enums.get(about)
    if not members:
        return None
    words = name.split("_")
    exact = [value for member, value in members if member.endswith("_" + name)]
    if exact:
        return number in exact
    named = [value for member, value in members if all(word in member.split("_") for word in words)]
    return True if number in named else None


def c_kind(kind):
    """Kind and size of a C type."""
    kind = kind.get_canonical()
    names = cindex.TypeKind
    if kind.kind == names.VOID:
        return ("nothing", 0)
    if kind.kind in (names.POINTER, names.INCOMPLETEARRAY, names.CONSTANTARRAY, names.FUNCTIONPROTO):
        return ("pointer", 8)
    if kind.kind in (names.FLOAT, names.DOUBLE):
        return ("float", kind.get_size())
    if kind.kind == names.RECORD:
        return ("structure", kind.get_size())
    return ("integer", kind.get_size())


def unpacked():
    """What ci/library-stages has unpacked, by major version of CUDA: the newest of each package."""
    groups = {"CUDA 11": {}, "CUDA 12": {}, "CUDA 13": {}}
    for folder in sorted((ROOT / "target" / "library-stages" / "packages").glob("*-*"), key=lambda it: numbers(it.name)):
        name = folder.name.rsplit("-", 1)[0]
        major = re.search(r"-cu(1[123])$", name)
        groups[f"CUDA {major[1] if major else 13}"][name] = folder
    return {group: list(folders.values()) for group, folders in groups.items() if folders}


def numbers(text):
    """A key that sorts 12.10 behind 12.9."""
    return [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", text)]


def declared(name, folders, compiler):
    """The functions that the headers of folders declare, by name, and which headers could be read."""
    includes = sorted({path.parent for folder in folders for path in folder.rglob("*.h")})
    # Headers lie in subdirectories of an include directory as well; only its top is searched for.
    includes = [path for path in includes if path.name == "include" or (path / "cuda_runtime_api.h").exists()]
    # libclang brings no headers of its own; those of the C compiler declare the same types.
    own = subprocess.run(["cc", "-print-file-name=include"], check=True, capture_output=True, text=True).stdout.strip()
    functions, read, enums, values = {}, [], {}, {}
    for library, headers in HEADERS.items():
        for header in headers:
            if not any((path / header).exists() for path in includes):
                continue
            source = f"#include <stddef.h>\n#include <stdint.h>\n#include <{header}>\n"
            if library == "npp":
                source += "#include <nppi.h>\n#include <npps.h>\n"
            arguments = ["-x", "c", *(f"-I{path}" for path in includes), "-isystem", own, "-idirafter", compiler]
            unit, error = parse(source, arguments, pathlib.Path(compiler))
            if error:
                print(f"        {name}: {header} cannot be read: {error}")
                continue
            read.append(library)
            for cursor in unit.cursor.get_children():
                if cursor.kind == cindex.CursorKind.FUNCTION_DECL:
                    functions.setdefault((library, cursor.spelling), cursor)
                elif cursor.kind == cindex.CursorKind.ENUM_DECL:
                    members = [(it.spelling, it.enum_value) for it in cursor.get_children()]
                    enums.setdefault(cursor.spelling, members)
                    for member, value in members:
                        values.setdefault(member, set()).add(value)
                elif cursor.kind == cindex.CursorKind.TYPEDEF_DECL:
                    under = cursor.underlying_typedef_type.get_canonical().get_declaration()
                    if under.kind == cindex.CursorKind.ENUM_DECL:
                        enums[cursor.spelling] = [(it.spelling, it.enum_value) for it in under.get_children()]
    return functions, read, enums, values


def parse(source, arguments, spare):
    """Reads a header. What it includes and the tree lacks is taken for empty: parts for device code, which declare none of
    the library's functions."""
    for _ in range(40):
        unit = cindex.Index.create().parse("headers.c", args=arguments, unsaved_files=[("headers.c", source)])
        errors = [str(it.spelling) for it in unit.diagnostics if it.severity >= cindex.Diagnostic.Fatal]
        if not errors:
            return unit, None
        missing = re.fullmatch(r"'(.+)' file not found", errors[0])
        if not missing or missing[1].startswith("/"):
            return None, errors[0]
        (spare / missing[1]).parent.mkdir(parents=True, exist_ok=True)
        (spare / missing[1]).touch()
    return None, "it includes too much that is not there"


def find(functions, library, symbol):
    """The declaration of a symbol; nvJitLink's headers declare it with the version of the toolkit in its name."""
    if (library, symbol) in functions:
        return functions[library, symbol]
    for (_, name), cursor in functions.items():
        if name == symbol:
            return cursor
    versioned = re.compile(rf"__{symbol}_\d+_\d+")
    for (owner, name), cursor in functions.items():
        if owner == library and versioned.fullmatch(name):
            return cursor
    return None


def compare(arguments, value, types, cursor):
    """How a signature differs from its declaration; nothing if it does not."""
    ours = [rust(argument, types) for argument in arguments]
    theirs = [c_kind(argument.type) for argument in cursor.get_arguments()]
    if len(ours) != len(theirs):
        return f"has {len(theirs)} arguments, not {len(ours)}"
    for index, (our, their) in enumerate(zip(ours, theirs)):
        if our != their and {our, their} != WORDS:
            return f"argument {index + 1} is {their[0]} of {their[1]} bytes, not {our[0]} of {our[1]}"
    our, their = rust(value, types), c_kind(cursor.result_type)
    # A status that is an enumeration is unsigned for some compilers, and an integer of four bytes for all.
    if our != their and {our, their} != WORDS:
        return f"returns {their[0]} of {their[1]} bytes, not {our[0]} of {our[1]}"
    return None


def main():
    groups = {word: [pathlib.Path(word)] for word in sys.argv[1:]} or unpacked()
    if not groups:
        sys.exit("error: there are no headers to read\nhint: ci/library-stages unpacks some, or name directories")
    every = list(tables())
    seen, wrong = set(), 0
    compiler = tempfile.TemporaryDirectory()
    crt = pathlib.Path(compiler.name) / "crt"
    crt.mkdir()
    for header in ("host_defines.h", "host_config.h"):
        (crt / header).write_text(COMPILER)
    for group, folders in groups.items():
        functions, read, enums, values = declared(group, folders, compiler.name)
        agree, absent, differences = 0, [], {}
        for library, symbol, arguments, value, types in every:
            if library not in read:
                continue
            cursor = find(functions, library, symbol)
            if cursor is None:
                absent.append(symbol)
                continue
            seen.add((library, symbol))
            try:
                difference = compare(arguments, value, types, cursor)
            except KeyError as unknown:
                difference = f"uses a type that this script does not know: {unknown}"
            differences.setdefault((library, symbol), []).append(difference)
        for (library, symbol), found in differences.items():
            # Where a signature changed between releases there are two tables, of which one must be this release's.
            if all(found):
                wrong += 1
                print(f"FAILED  {group}: {symbol} ({library}) {found[0]}")
            else:
                agree += 1
        numbers_right, numbers_unknown = 0, []
        for library, about, name, number in constants():
            if library not in read:
                continue
            verdict = judge(about, name, number, enums, values)
            if verdict is None:
                meant = [member for member, value in enums.get(about, []) if value == number]
                numbers_unknown.append(f"{about} {name} = {number} ({' or '.join(meant) or 'no such number'})")
            elif verdict:
                numbers_right += 1
            else:
                wrong += 1
                print(f"FAILED  {group}: {name} of {about} ({library}) is not {number}")
        print(f"ok      {group}: {numbers_right} numbers agree by their names; to be read by a person:")
        for line in sorted(set(numbers_unknown)):
            print(f"            {line}")
        print(f"ok      {group}: {agree} signatures of {len(read)} libraries agree; not in these headers: {', '.join(sorted(set(absent))) or 'none'}")
    names = {(library, symbol) for library, symbol, *_ in every}
    unseen = sorted(f"{symbol} ({library})" for library, symbol in names - seen)
    print(f"{len(seen)} of {len(names)} functions were held against a header; not: {', '.join(unseen) or 'none'}")
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
